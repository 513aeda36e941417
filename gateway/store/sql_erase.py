# SPDX-License-Identifier: MIT
"""The store: finding and erasing what is older than it may be, in the SQL all share.

`expired` looks for it over a connection that only reads, and names the next portion by its numbers.
So the commit that erases it searches for nothing: it takes a few milliseconds, however many rows
there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gateway.config.retention import RecordClass
from gateway.store.interface import Expired
from gateway.store.records import class_of
from gateway.store.sql_commit import Database

MAX_ERASED = 100  # rows of one commit: what comes in must not wait for long
MAX_COUNTED = 10_000  # rows of one kind
MAX_CHECKPOINTS = 500  # of one commit
_EVERYTHING = (1 << 63) - 1
ALARM_ROWS = 10  # about so many changes go with an alarm

_BLANK_AUDIT = (
    "UPDATE audit SET at_us = NULL, actor = NULL, action = NULL, subject = NULL, reason = NULL, "
    "until_us = NULL, detail_json = NULL, salt = NULL WHERE id = ?"
)
# Beyond a gap the row marks a copy of its message as such: only its content is erased.
_DELETE_MESSAGE = (
    "DELETE FROM message WHERE id = ? AND (lane = 1 OR seq <= coalesce((SELECT upto FROM boot "
    "WHERE boot.node = message.node AND boot.boot = message.boot), seq))"
)


class _Source(NamedTuple):
    """Rows of a table that are older; `order` is by an index, where there is one. `upto`: all of
    the audit's entries up to there are."""

    table: str
    condition: str
    values: tuple[int | bytes | str, ...]
    order: str
    upto: int = 0


def expired(db: Database, cuts: Mapping[RecordClass, int]) -> dict[RecordClass, Expired]:
    """Classes that hold something older than their cut (UTC microseconds), with the rows that are
    to be erased next: MAX_ERASED of them at most, over all classes."""
    found, room = {}, MAX_ERASED
    for kept, before_us in cuts.items():
        rows, more, upto, portion = 0, False, 0, dict[str, tuple[int, ...]]()
        for source in _sources(db, kept, before_us):
            count = _count(db, source)
            rows, more, upto = rows + count, more or count >= MAX_COUNTED, source.upto
            if count and room > 0:
                ids = _oldest(db, source, room)
                portion[source.table] = portion.get(source.table, ()) + ids
                room -= len(ids) * (ALARM_ROWS if source.table == "alarm" else 1)
        if rows:
            last_entry = upto if kept is RecordClass.AUDIT else None
            found[kept] = Expired(before_us, rows, more, last_entry, portion)
    return found


def erase(db: Database, table: str, ids: Sequence[int]) -> None:
    """These rows of a table."""
    rows = [(number,) for number in ids]
    match table:
        case "audit":
            db.many(_BLANK_AUDIT, rows)
            # The newest checkpoint signs all that came before it.
            db.run(
                "DELETE FROM checkpoint WHERE number IN (SELECT number FROM checkpoint WHERE "
                "number < (SELECT max(number) FROM checkpoint WHERE number <= ?) "
                "ORDER BY number LIMIT ?)",
                (max(ids), MAX_CHECKPOINTS),
            )
        case "alarm":
            db.many("DELETE FROM alarm_history WHERE alarm_id = ?", rows)
            db.many("DELETE FROM alarm WHERE id = ?", rows)
        case "message":
            db.many(_DELETE_MESSAGE, rows)
            db.many("UPDATE message SET payload = ? WHERE id = ?", [(b"", *row) for row in rows])
        case _:
            db.many(f"DELETE FROM {table} WHERE id = ?", rows)


def _count(db: Database, source: _Source) -> int:
    """MAX_COUNTED at most."""
    rows = db.run(
        f"SELECT count(*) FROM (SELECT id FROM {source.table} WHERE {source.condition} "
        f"ORDER BY {source.order} LIMIT ?) AS older",
        (*source.values, MAX_COUNTED),
    )
    return int(rows[0][0])


def _oldest(db: Database, source: _Source, room: int) -> tuple[int, ...]:
    most = max(1, room // ALARM_ROWS) if source.table == "alarm" else room
    rows = db.run(
        f"SELECT id FROM {source.table} WHERE {source.condition} ORDER BY {source.order} LIMIT ?",
        (*source.values, most),
    )
    return tuple(number for (number,) in rows)


def _sources(db: Database, kept: RecordClass, before_us: int) -> Iterator[_Source]:
    match kept:
        case RecordClass.ALARMS:
            yield _Source(
                "alarm",
                # `+`: nearly all alarms are closed, so an index of that helps little.
                "+open = 0 AND raised_us < ? AND NOT EXISTS "
                "(SELECT 1 FROM alarm_history WHERE alarm_id = alarm.id AND at_us >= ?)",
                (before_us, before_us),
                "raised_us",
            )
        case RecordClass.AUDIT:
            yield _audit(db, before_us)
        case RecordClass.QUARANTINE:
            yield _Source("quarantine", "arrival_us < ?", (before_us,), "id")
        case _:
            yield from _messages(db, kept, before_us)
    if kept is RecordClass.DETECTIONS:
        yield _Source("detection", "onset_us < ?", (before_us,), "onset_us")
        yield from _log(db, before_us)
        # `journal` is of stores of earlier versions: nothing reads it any more. Both hold few rows.
        for table in ("act_key", "journal"):
            yield _Source(table, "at_us < ?", (before_us,), "id")


def _log(db: Database, before_us: int) -> Iterator[_Source]:
    """What the monitor reads, from its beginning up to the first entry that is still young: so the
    runs that replay finds have all their entries, also if a clock was set back for a while."""
    young = db.run(
        "SELECT id FROM (SELECT id, at_us FROM log WHERE id > 0 ORDER BY id LIMIT ?) AS oldest "
        "WHERE at_us >= ? ORDER BY id LIMIT 1",
        (MAX_COUNTED, before_us),
    )
    upto = young[0][0] - 1 if young else _EVERYTHING
    yield _Source("log", "id <= ? AND at_us < ?", (upto, before_us), "id")
    # Of those entries; a portion has them when it has the last of the entries.
    yield _Source("tick", "after_id <= ? AND at_us < ?", (upto, before_us), "at_us")
    yield _Source("skipped", "id <= ? AND at_us < ?", (upto, before_us), "id")


def _messages(db: Database, kept: RecordClass, before_us: int) -> Iterator[_Source]:
    """By kind, as the index has them."""
    kind = ""
    while True:
        (kind,) = db.run("SELECT coalesce(min(kind), '') FROM message WHERE kind > ?", (kind,))[0]
        if not kind:
            return
        if class_of(kind) is kept:
            # An empty payload is one erased before: its number is still needed to know a copy.
            yield _Source(
                "message",
                "kind = ? AND arrival_us < ? AND payload <> ?",
                (kind, before_us, b""),
                "arrival_us",
            )


def _audit(db: Database, before_us: int) -> _Source:
    """The chain is erased from its beginning up to the first entry that is still young: a clock
    that was set back for a while must not let young ones go. What is blank is at the beginning."""
    blank, newest = 0, int(db.run("SELECT coalesce(max(id), 0) FROM audit")[0][0])
    first_with_content = newest + 1
    while first_with_content - blank > 1:
        middle = (blank + first_with_content) // 2
        rows = db.run("SELECT at_us FROM audit WHERE id >= ? ORDER BY id LIMIT 1", (middle,))
        if rows and rows[0][0] is None:
            blank = middle
        else:
            first_with_content = middle
    young = db.run(
        "SELECT id FROM audit WHERE id > ? AND at_us >= ? ORDER BY id LIMIT 1", (blank, before_us)
    )
    upto = young[0][0] - 1 if young else newest
    condition = "id > ? AND id <= ? AND at_us < ?"
    return _Source("audit", condition, (blank, upto, before_us), "id", upto)
