# SPDX-License-Identifier: MIT
"""The store: the log, its ticks and the history as replay reads them, in the SQL all share."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.store.interface import (
    ALARMS_ERASED,
    APPLIED,
    COUNT_LOG,
    CURSOR,
    HistoryRow,
    LogRow,
    SkippedRow,
    TickRow,
)
from gateway.store.sql_commit import Database, log_after

_PORTION = 5000


def holds_log(db: Database) -> bool:
    """Whether a gateway that keeps a log has run on the store; of any schema version."""
    names = (COUNT_LOG, CURSOR, APPLIED)
    return bool(db.run("SELECT 1 FROM state WHERE name IN (?, ?, ?)", names))


def first_log_id(db: Database) -> int | None:
    """The oldest entry that is there."""
    number = db.run("SELECT min(id) FROM log")[0][0]
    return None if number is None else int(number)


def alarms_erased_us(db: Database) -> int:
    """Alarms without a change since then may be erased; 0: none was."""
    rows = db.run("SELECT value FROM state WHERE name = ?", (ALARMS_ERASED,))
    return int(rows[0][0]) if rows else 0


def alarm_ids(db: Database) -> set[int]:
    """Alarms that are there, or of which a change is."""
    rows = db.run("SELECT id FROM alarm UNION SELECT alarm_id FROM alarm_history")
    return {number for (number,) in rows}


def log(db: Database, after: int, upto: int) -> Iterator[LogRow]:
    """Entries with numbers beyond `after`, up to `upto`, in order; erased ones are not there."""
    while after < upto:
        rows = log_after(db, after, _PORTION)
        for row in rows:
            if row.id > upto:
                return
            yield row
        if len(rows) < _PORTION:
            return
        after = rows[-1].id


def log_of(db: Database, kind: str) -> list[LogRow]:
    """All entries of one kind, in order."""
    rows = db.run(
        "SELECT id, at_us, kind, source, value FROM log WHERE kind = ? ORDER BY id", (kind,)
    )
    return [LogRow(*row) for row in rows]


def ticks(db: Database, after_log: int, upto_log: int) -> list[TickRow]:
    """Ticks after those entries of the log, in order."""
    rows = db.run(
        "SELECT id, after_id, at_us, kind FROM tick WHERE after_id >= ? AND after_id <= ? "
        "ORDER BY id",
        (after_log, upto_log),
    )
    return [TickRow(*row) for row in rows]


def skipped(db: Database) -> dict[int, SkippedRow]:
    """Entries of the log that could not be processed, by number."""
    rows = db.run("SELECT id, at_us, source, error FROM skipped")
    return {row[0]: SkippedRow(*row) for row in rows}


def history(db: Database, after: int, upto: int | None) -> list[HistoryRow]:
    """Changes of alarms with numbers beyond `after`, up to `upto`."""
    most = (1 << 63) - 1 if upto is None else upto
    rows = db.run(
        "SELECT id, alarm_id, at_us, change, by, value FROM alarm_history "
        "WHERE id > ? AND id <= ? ORDER BY id",
        (after, most),
    )
    return [HistoryRow(*row) for row in rows]
