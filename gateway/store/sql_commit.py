# SPDX-License-Identifier: MIT
"""The store: statements of a commit and of a start, in the SQL that every implementation shares.

`?` stands for a value. ON CONFLICT DO NOTHING, because a commit whose outcome is unknown (an error
in its fsync, a connection that broke) is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Protocol

from gateway.store.interface import (
    APPLIED,
    CLOCK,
    CLOSED_LOADED,
    COUNT_ALARMS,
    COUNT_DETECTIONS,
    COUNT_HISTORY,
    COUNT_LOG,
    COUNT_MESSAGES,
    COUNT_TICKS,
    CURSOR,
    ActKeyRow,
    BootRow,
    LeftOut,
    LogRow,
    MessageRow,
    NodeRow,
    Snapshot,
    Writes,
)

Rows = list[tuple[Any, ...]]


class Database(Protocol):
    """What an implementation lends: one statement, or one for many rows; both in a transaction."""

    def run(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """The rows it gives, if any."""

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Once for each row."""


def _insert(table: str, columns: str, otherwise: str = "DO NOTHING") -> str:
    marks = ", ".join("?" * len(columns.split(", ")))
    return f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT {otherwise}"


def _upsert(table: str, key: str, columns: str) -> str:
    new = ", ".join(f"{name} = excluded.{name}" for name in columns.split(", "))
    return _insert(table, f"{key}, {columns}", f"({key}) DO UPDATE SET {new}")


_BOOT = "upto, missing, start_us, spread_us, samples, at_us"
_NODE = "window_newest, window_bits, down_reserved, last_seen_us, applied_id"
_ALARM = "kind, key, raised_us, open, value"
_AUDIT = "at_us, actor, action, subject, reason, until_us, detail_json, salt, digest, link"
_DETECTION = (
    "node, boot, seq, onset_ms, phase, class, confidence_pct, peak_um_s_x100, onset_us, "
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
_UPSERT_BOOT = _upsert("boot", "node, boot", _BOOT)
_UPSERT_NODE = _upsert("node", "node", _NODE)
_UPSERT_ALARM = _upsert("alarm", "id", _ALARM)
_UPSERT_STATE = _upsert("state", "name", "value")
_DELETE_STATE = "DELETE FROM state WHERE name = ?"
_UPSERT_REFUSED = _upsert("refused", "reason, node", "count")


_Rows = Collection[Sequence[Any]]


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


ACT_KEYS_LOADED = 10_000
MAX_QUARANTINE = 1000  # rows, the newest


def load(db: Database) -> Snapshot:
    """What was committed before."""
    boots = [BootRow(*row) for row in db.run(f"SELECT node, boot, {_BOOT} FROM boot ORDER BY 1, 2")]
    state: dict[str, str] = dict(db.run("SELECT name, value FROM state"))

    def count(name: str, otherwise: str) -> int:
        # Counting rows is for stores of the first versions, whose rows are all there.
        return int(state[name] if name in state else db.run(otherwise)[0][0])

    heads = db.run("SELECT id, link FROM audit ORDER BY id DESC LIMIT 1")
    nodes = [NodeRow(*row) for row in db.run(f"SELECT node, {_NODE} FROM node ORDER BY 1")]
    last_log = max(int(state.get(COUNT_LOG, "0")), _last(db, "log"))
    return Snapshot(
        boots=boots,
        nodes=nodes,
        above=[above for boot in boots for above in _above(db, boot)],
        state=state,
        open_alarms=[
            row[0] for row in db.run("SELECT value FROM alarm WHERE open = 1 ORDER BY id")
        ],
        closed_alarms=_closed(db),
        last_alarm_id=count(COUNT_ALARMS, "SELECT coalesce(max(id), 0) FROM alarm"),
        last_history_id=count(COUNT_HISTORY, "SELECT coalesce(max(id), 0) FROM alarm_history"),
        refused=[
            (row[0], row[1], row[2]) for row in db.run("SELECT reason, node, count FROM refused")
        ],
        # Never a number that is taken: its row would be passed over as one that is there already.
        messages=max(
            count(COUNT_MESSAGES, "SELECT count(*) FROM message"),
            _last(db, "message"),
        ),
        last_log_id=last_log,
        last_tick_id=max(int(state.get(COUNT_TICKS, "0")), _last(db, "tick")),
        cursor=int(state.get(CURSOR, last_log)),
        act_keys=_act_keys(db),
        tail=_tail(db, state),
        detections=count(COUNT_DETECTIONS, "SELECT count(*) FROM detection WHERE phase = 'onset'"),
        audit_head=(heads[0][0], heads[0][1]) if heads else None,
        last_quarantine_id=_last(db, "quarantine"),
        newest_us=_newest_us(db, state),
    )


def audit_link(db: Database, number: int) -> bytes | None:
    """The chain's value at an entry of the audit."""
    rows = db.run("SELECT link FROM audit WHERE id = ?", (number,))
    return bytes(rows[0][0]) if rows else None


def _newest_us(db: Database, state: dict[str, str]) -> int | None:
    """Of the last row of each table: a clock that was wrong for a while left older rows of a later
    time."""
    found = [int(state[CLOCK])] if state.get(CLOCK) else []
    for table, column in (("message", "arrival_us"), ("log", "at_us"), ("audit", "at_us")):
        rows = db.run(f"SELECT {column} FROM {table} ORDER BY id DESC LIMIT 1")
        found += [row[0] for row in rows if row[0] is not None]
    return max(found, default=None)


def _last(db: Database, table: str) -> int:
    return int(db.run(f"SELECT coalesce(max(id), 0) FROM {table}")[0][0])


def _act_keys(db: Database) -> list[ActKeyRow]:
    rows = db.run(
        "SELECT at_us, actor, key, log_id, done FROM act_key ORDER BY id DESC LIMIT ?",
        (ACT_KEYS_LOADED,),
    )
    return [ActKeyRow(*row) for row in reversed(rows)]


def _tail(db: Database, state: dict[str, str]) -> list[MessageRow]:
    """Messages that the rows of nodes do not hold yet; none in a store without them."""
    if APPLIED not in state:
        return []
    rows = db.run(
        "SELECT id, node, lane, boot, seq, arrival_us, kind, payload FROM message "
        "WHERE id > ? ORDER BY id",
        (int(state[APPLIED]),),
    )
    return [MessageRow(*row) for row in rows]


def log_after(db: Database, after_id: int, limit: int) -> list[LogRow]:
    """Entries of the log beyond that number, oldest first."""
    rows = db.run(
        "SELECT id, at_us, kind, source, value FROM log WHERE id > ? ORDER BY id LIMIT ?",
        (after_id, limit),
    )
    return [LogRow(*row) for row in rows]


def _above(db: Database, boot: BootRow) -> list[tuple[str, int, int]]:
    """Durable messages beyond the number of a receipt."""
    rows = db.run(
        "SELECT seq FROM message WHERE node = ? AND lane = 0 AND boot = ? AND seq > ?",
        (boot.node, boot.boot, boot.upto),
    )
    return [(boot.node, boot.boot, seq) for (seq,) in rows]


def alarms_since(db: Database, raised_us: int, limit: int) -> list[str]:
    """JSON of the alarms raised since then, newest first."""
    rows = db.run(
        "SELECT value FROM alarm WHERE raised_us >= ? ORDER BY id DESC LIMIT ?", (raised_us, limit)
    )
    return [row[0] for row in rows]


def _closed(db: Database) -> list[str]:
    """JSON of the newest alarms that are over, oldest first."""
    rows = db.run(
        "SELECT value FROM alarm WHERE open = 0 ORDER BY id DESC LIMIT ?", (CLOSED_LOADED,)
    )
    return [row[0] for row in reversed(rows)]
