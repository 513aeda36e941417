# SPDX-License-Identifier: MIT
"""The store: statements of a commit and of a start, in the SQL that every implementation shares.

`?` stands for a value. ON CONFLICT DO NOTHING, because a commit whose outcome is unknown (an error
in its fsync, a connection that broke) is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from typing import Any, Protocol

from gateway.store.interface import (
    LeftOut,
    LogRow,
    Writes,
)

Rows = list[tuple[Any, ...]]


class Database(Protocol):
    """What an implementation lends: one statement, or one for many rows; both in a transaction."""

    def run(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """The rows it gives, if any."""

    def each(self, sql: str) -> Generator[tuple[Any, ...], None, None]:
        """The rows it gives one after the other, read when they are wanted."""

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Once for each row."""


def _insert(table: str, columns: str, otherwise: str = "DO NOTHING") -> str:
    marks = ", ".join("?" * len(columns.split(", ")))
    return f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT {otherwise}"


def _upsert(table: str, key: str, columns: str) -> str:
    new = ", ".join(f"{name} = excluded.{name}" for name in columns.split(", "))
    return _insert(table, f"{key}, {columns}", f"({key}) DO UPDATE SET {new}")


BOOT = "upto, missing, start_us, spread_us, samples, at_us"
NODE = "window_newest, window_bits, down_reserved, last_seen_us, applied_id"
_ALARM = "kind, key, raised_us, open, value"
_AUDIT = "at_us, actor, action, subject, reason, until_us, detail_json, salt, digest, link"
_DETECTION = (
    "id, node, boot, seq, onset_ms, phase, class, confidence_pct, peak_um_s_x100, onset_us, "
    "report_us, uncertainty_us, arrival_us"
)

_INSERT_MESSAGE = _insert("message", "id, node, lane, boot, seq, arrival_us, kind, payload")
_INSERT_DETECTION = _insert("detection", _DETECTION)
_INSERT_HISTORY = _insert("alarm_history", "id, alarm_id, at_us, change, by, value")
_INSERT_AUDIT = _insert("audit", f"id, {_AUDIT}")
_INSERT_CHECKPOINT = _insert("checkpoint", "number, link, at_us, key_id, signature")
_INSERT_QUARANTINE = _insert("quarantine", "id, arrival_us, reason, node, topic, size, head")
_INSERT_LOG = _insert("log", "id, at_us, kind, source, value")
_INSERT_TICK = _insert("tick", "id, after_id, at_us, kind")
_INSERT_SKIPPED = _insert("skipped", "id, at_us, source, error")
_UPSERT_ACT_KEY = _insert(
    "act_key",
    "at_us, actor, key, log_id, done",
    "(actor, key) DO UPDATE SET done = excluded.done",
)
_UPSERT_BOOT = _upsert("boot", "node, boot", BOOT)
_UPSERT_NODE = _upsert("node", "node", NODE)
_UPSERT_ALARM = _upsert("alarm", "id", _ALARM)
_UPSERT_STATE = _upsert("state", "name", "value")
_DELETE_STATE = "DELETE FROM state WHERE name = ?"
_UPSERT_REFUSED = _upsert("refused", "reason, node", "count")


_Rows = Collection[Sequence[Any]]
MAX_QUARANTINE = 1000  # rows, the newest


def insert(db: Database, writes: Writes) -> None:
    """All rows of a commit but what is to be erased."""
    for sql, rows in _tables(writes):
        if rows:  # most commits hold messages alone, and a statement costs without rows too
            db.many(sql, rows)
    _limit_quarantine(db, writes)


def insert_what_fits(
    db: Database, writes: Writes, of_row: Callable[[Exception], bool]
) -> list[LeftOut]:
    """The same row by row; those left out for which an error is `of_row`."""
    left_out = []
    for sql, rows in _tables(writes):
        for row in rows:
            db.run("SAVEPOINT one_row")
            try:
                db.many(sql, (row,))
            except Exception as error:
                if not of_row(error):
                    raise
                db.run("ROLLBACK TO SAVEPOINT one_row")
                left_out.append(LeftOut(sql.split()[2], tuple(row), type(error).__name__))
            db.run("RELEASE SAVEPOINT one_row")
    _limit_quarantine(db, writes)
    return left_out


def _limit_quarantine(db: Database, writes: Writes) -> None:
    if writes.quarantine:
        oldest = writes.quarantine[-1].id - MAX_QUARANTINE
        db.run("DELETE FROM quarantine WHERE id <= ?", (oldest,))


def _tables(writes: Writes) -> tuple[tuple[str, _Rows], ...]:
    """(statement, rows) in the order of the tables."""
    over = [(name,) for name, value in writes.state.items() if not value]
    refused = [(reason, node, count) for (reason, node), count in writes.refused.items()]
    return (
        (_INSERT_MESSAGE, writes.messages),
        (_INSERT_DETECTION, writes.detections),
        (_UPSERT_BOOT, writes.boots.values()),
        (_UPSERT_NODE, writes.nodes.values()),
        (_UPSERT_STATE, writes.state.items()),
        (_DELETE_STATE, over),
        (_UPSERT_ALARM, writes.alarms.values()),
        (_INSERT_HISTORY, writes.history),
        (_UPSERT_REFUSED, refused),
        (_INSERT_AUDIT, writes.audit),
        (_INSERT_CHECKPOINT, writes.checkpoints),
        (_INSERT_LOG, writes.log),
        (_INSERT_TICK, writes.ticks),
        (_INSERT_SKIPPED, writes.skipped),
        (_UPSERT_ACT_KEY, writes.act_keys),
        (_INSERT_QUARANTINE, writes.quarantine),
    )


def log_after(db: Database, after_id: int, limit: int) -> list[LogRow]:
    """Entries of the log beyond that number, oldest first."""
    rows = db.run(
        "SELECT id, at_us, kind, source, value FROM log WHERE id > ? ORDER BY id LIMIT ?",
        (after_id, limit),
    )
    return [LogRow(*row) for row in rows]


def alarms_since(db: Database, raised_us: int, limit: int) -> list[str]:
    """JSON of the alarms raised since then, newest first."""
    rows = db.run(
        "SELECT value FROM alarm WHERE raised_us >= ? ORDER BY id DESC LIMIT ?", (raised_us, limit)
    )
    return [row[0] for row in rows]
