# SPDX-License-Identifier: MIT
"""The store: finding and erasing what is older than it may be, in the SQL all share."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.config.retention import RecordClass
from gateway.store.interface import Expired
from gateway.store.sql_commit import Database

MAX_ERASED = 5000  # rows of a class in one commit: what comes in must not wait for long

_KINDS = {
    RecordClass.SNIPPETS: "kind = 'snippet'",
    RecordClass.MESSAGES: "kind NOT IN ('snippet', 'detection')",
    RecordClass.DETECTIONS: "kind = 'detection'",
}
# An empty payload is one erased before: its number is still needed to know a copy.
_OLD_MESSAGES = "FROM message WHERE {kinds} AND arrival_us < ? AND payload <> ?"
_OLD_DETECTIONS = "FROM detection WHERE onset_us < ?"
# What the monitor reads. `journal` is of stores of earlier versions: nothing reads it any more.
_OLD_INPUTS = tuple(
    f"FROM {table} WHERE at_us < ?" for table in ("log", "tick", "skipped", "act_key", "journal")
)
_OLD_QUARANTINE = "FROM quarantine WHERE arrival_us < ?"
_OLD_ALARMS = (
    "FROM alarm WHERE open = 0 AND raised_us < ? AND NOT EXISTS "
    "(SELECT 1 FROM alarm_history WHERE alarm_id = alarm.id AND at_us >= ?)"
)
# The chain is erased from its beginning up to the first entry that is still young: a clock that
# was set back for a while must not let young ones go.
_OLD_AUDIT = (
    "FROM audit WHERE at_us < ? AND id < "
    "coalesce((SELECT min(id) FROM audit WHERE at_us >= ?), (SELECT max(id) + 1 FROM audit))"
)


def expired(db: Database, cuts: Mapping[RecordClass, int]) -> dict[RecordClass, Expired]:
    """Classes that hold something older than their cut (UTC microseconds)."""
    found = {}
    for kept, before_us in cuts.items():
        rows, upto = 0, 0
        for source, values in _sources(kept, before_us):
            count, last = db.run(f"SELECT count(*), coalesce(max(id), 0) {source}", values)[0]
            rows, upto = rows + count, max(upto, last)
        if rows:
            found[kept] = Expired(before_us, rows, upto if kept is RecordClass.AUDIT else None)
    return found


def erase(db: Database, kept: RecordClass, before_us: int) -> None:
    """At most MAX_ERASED rows, the oldest first."""
    for source, values in _sources(kept, before_us):
        ids = db.run(f"SELECT id {source} ORDER BY id LIMIT ?", (*values, MAX_ERASED))
        table = source.split()[1]
        if table == "audit":
            db.many(
                "UPDATE audit SET at_us = NULL, actor = NULL, action = NULL, subject = NULL, "
                "reason = NULL, until_us = NULL, detail_json = NULL, salt = NULL WHERE id = ?",
                ids,
            )
            continue
        if table == "alarm":
            db.many("DELETE FROM alarm_history WHERE alarm_id = ?", ids)
        if table == "message":
            # Beyond a gap the row marks a copy of its message as such: only its content is erased.
            db.many(
                "DELETE FROM message WHERE id = ? AND (lane = 1 OR seq <= (SELECT upto FROM boot "
                "WHERE boot.node = message.node AND boot.boot = message.boot))",
                ids,
            )
            db.many("UPDATE message SET payload = ? WHERE id = ?", ((b"", *row) for row in ids))
        else:
            db.many(f"DELETE FROM {table} WHERE id = ?", ids)


def _sources(kept: RecordClass, before_us: int) -> list[tuple[str, tuple[int | bytes, ...]]]:
    """(FROM clause, its values) of what is older."""
    match kept:
        case RecordClass.ALARMS:
            return [(_OLD_ALARMS, (before_us, before_us))]
        case RecordClass.AUDIT:
            return [(_OLD_AUDIT, (before_us, before_us))]
        case RecordClass.QUARANTINE:
            return [(_OLD_QUARANTINE, (before_us,))]
        case _:
            messages = _OLD_MESSAGES.format(kinds=_KINDS[kept]), (before_us, b"")
            if kept is RecordClass.DETECTIONS:
                inputs = [(source, (before_us,)) for source in _OLD_INPUTS]
                return [messages, (_OLD_DETECTIONS, (before_us,)), *inputs]
            return [messages]
