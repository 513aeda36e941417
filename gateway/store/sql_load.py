# SPDX-License-Identifier: MIT
"""The store: statements of a start, in the SQL that every implementation shares."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from gateway.model.actions.record import SEALED, STARTED
from gateway.model.alarm import Alarm
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
    KEPT_BOOTS,
    ActKeyRow,
    BootRow,
    MessageRow,
    NodeRow,
    Snapshot,
)
from gateway.store.records import TABLES
from gateway.store.sql_commit import BOOT, NODE, Database

ACT_KEYS_LOADED = 10_000
MAX_FORGOTTEN = 20_000  # starts of a node that are forgotten at one start of the gateway


def load(db: Database) -> Snapshot:
    """What was committed before."""
    boots, floors = _boots(db)
    state: dict[str, str] = dict(db.run("SELECT name, value FROM state"))

    def count(name: str, otherwise: str) -> int:
        # Counting rows is for stores of the first versions, whose rows are all there.
        return int(state[name] if name in state else db.run(otherwise)[0][0])

    heads = db.run("SELECT id, link FROM audit ORDER BY id DESC LIMIT 1")
    seal = _seal(db)
    alarms = _alarms(db, "open = 1 ORDER BY id", ())
    alarms += _alarms(db, "open = 0 ORDER BY id DESC LIMIT ?", (CLOSED_LOADED,))
    alarms.sort()
    nodes = [NodeRow(*row) for row in db.run(f"SELECT node, {NODE} FROM node ORDER BY 1")]
    last_log = max(int(state.get(COUNT_LOG, "0")), _last(db, "log"))
    return Snapshot(
        boots=boots,
        boot_floors=floors,
        nodes=nodes,
        above=_above(db),
        state=state,
        open_alarms=[one.value for one in alarms if one.is_open],
        closed_alarms=[one.value for one in alarms if not one.is_open],
        edited=[one.id for one in alarms if one.edited],
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
        # Not a number that was sealed, should all its rows be erased.
        last_detection_id=max(_last(db, "detection"), _upto(seal, "detection")),
        seal=seal,
        unsealed=_unsealed(db, seal),
        audit_head=(heads[0][0], heads[0][1]) if heads else None,
        last_quarantine_id=_last(db, "quarantine"),
        newest_us=newest_moment(db),
    )


def audit_link(db: Database, number: int) -> bytes | None:
    """The chain's value at an entry of the audit."""
    rows = db.run("SELECT link FROM audit WHERE id = ?", (number,))
    return bytes(rows[0][0]) if rows else None


def newest_moment(db: Database) -> int | None:
    """The newest moment on record, UTC microseconds. Of the last row of each table: a clock that
    was wrong for a while left older rows of a later time."""
    noted = db.run("SELECT value FROM state WHERE name = ?", (CLOCK,))
    found = [int(row[0]) for row in noted if row[0].isdecimal()]  # others may have edited it
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


def _boots(db: Database) -> tuple[list[BootRow], dict[str, int]]:
    """The newest starts of each node, and the oldest of these where there are KEPT_BOOTS; a portion
    of what is older goes."""
    floors: dict[str, int] = dict(
        db.run(
            "SELECT node, boot FROM (SELECT node, boot, row_number() OVER "
            "(PARTITION BY node ORDER BY boot DESC) AS place FROM boot) AS ranked WHERE place = ?",
            (KEPT_BOOTS,),
        )
    )
    for node, floor in floors.items():
        db.run(
            "DELETE FROM boot WHERE node = ? AND boot IN "
            "(SELECT boot FROM boot WHERE node = ? AND boot < ? ORDER BY boot LIMIT ?)",
            (node, node, floor, MAX_FORGOTTEN),
        )
    found = [BootRow(*row) for row in db.run(f"SELECT node, boot, {BOOT} FROM boot ORDER BY 1, 2")]
    return [row for row in found if row.boot >= floors.get(row.node, 0)], floors


def _above(db: Database) -> list[tuple[str, int, int]]:
    """Durable messages beyond the number of a receipt."""
    rows = db.run(
        "SELECT message.node, message.boot, message.seq FROM boot JOIN message ON "
        "message.node = boot.node AND message.lane = 0 AND message.boot = boot.boot "
        "AND message.seq > boot.upto"
    )
    return [(row[0], row[1], row[2]) for row in rows]


class _Loaded(NamedTuple):
    id: int
    value: str
    is_open: bool
    edited: bool


def _alarms(db: Database, condition: str, values: Sequence[Any]) -> list[_Loaded]:
    """Alarms as their history has them, which the audit covers: what others made of a row does not
    count."""
    rows = db.run(
        "SELECT id, open, value, (SELECT value FROM alarm_history WHERE alarm_id = alarm.id "
        f"ORDER BY id DESC LIMIT 1) FROM alarm WHERE {condition}",
        values,
    )
    found = []
    for number, column, value, kept in rows:
        is_open = _is_open(kept or value, otherwise=bool(column))
        edited = kept not in (None, value) or is_open != bool(column)
        found.append(_Loaded(number, kept or value, is_open, edited))
    return found


def _is_open(value: str, otherwise: bool) -> bool:
    try:
        return msgspec.json.decode(value, type=Alarm).open
    except ValueError:
        return otherwise


def _seal(db: Database) -> str:
    """Detail of the newest entry of the audit that seals records; empty when there is none, and
    when a version without seals ran after it."""
    rows = db.run(
        "SELECT id, detail_json FROM audit WHERE action = ? ORDER BY id DESC LIMIT 1", (SEALED,)
    )
    if not rows or db.run(
        "SELECT 1 FROM audit WHERE id > ? AND action = ? LIMIT 1", (rows[0][0], STARTED)
    ):
        return ""
    return str(rows[0][1])


def _upto(seal: str, table: str) -> int:
    return int(json.loads(seal)["records"][table][1]) if seal else 0


def _unsealed(db: Database, seal: str) -> dict[str, list[tuple[Any, ...]]]:
    """Rows that a run which did not come to its end left without a seal."""
    if not seal:
        return {}
    found = {
        name: db.run(
            f"SELECT {table.columns} FROM {name} WHERE id > ? ORDER BY id", (_upto(seal, name),)
        )
        for name, table in TABLES.items()
    }
    return {name: rows for name, rows in found.items() if rows}
