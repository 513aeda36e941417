# SPDX-License-Identifier: MIT
"""The store: messages, journal and history as replay reads them, in the SQL all share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gateway.store.interface import HistoryRow, JournalRow, MessageRow
from gateway.store.sql_commit import Database

_PORTION = 5000


class Heard(NamedTuple):
    """A stored message; `times` are onset, report and uncertainty of a detection, as told then."""

    row: MessageRow
    times: tuple[int, int, int] | None


def heard(db: Database, after: int, upto: int) -> Iterator[Heard]:
    """Messages with numbers beyond `after`, up to `upto`, in order; erased ones are not there."""
    while after < upto:
        rows = db.run(
            "SELECT m.id, m.node, m.lane, m.boot, m.seq, m.arrival_us, m.kind, m.payload, "
            "d.onset_us, d.report_us, d.uncertainty_us FROM message m LEFT JOIN detection d "
            "ON m.kind = 'detection' AND d.node = m.node AND d.boot = m.boot AND d.seq = m.seq "
            "WHERE m.id > ? AND m.id <= ? ORDER BY m.id LIMIT ?",
            (after, upto, _PORTION),
        )
        if not rows:
            return
        for row in rows:
            message = MessageRow(*row[:8])
            if message.payload:
                yield Heard(message, None if row[8] is None else (row[8], row[9], row[10]))
        after = rows[-1][0]


def journal(db: Database) -> list[JournalRow]:
    """All of it, in order."""
    rows = db.run("SELECT id, message_id, at_us, kind, value FROM journal ORDER BY id")
    return [JournalRow(*row) for row in rows]


def history(db: Database, after: int, upto: int | None) -> list[HistoryRow]:
    """Changes of alarms with numbers beyond `after`, up to `upto`."""
    most = (1 << 63) - 1 if upto is None else upto
    rows = db.run(
        "SELECT id, alarm_id, at_us, change, by, value FROM alarm_history "
        "WHERE id > ? AND id <= ? ORDER BY id",
        (after, most),
    )
    return [HistoryRow(*row) for row in rows]
