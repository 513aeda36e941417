# SPDX-License-Identifier: MIT
"""Tuning: the records of a period, read from a store. What is not possible is left out and counted:
a store may be damaged, and a clock may have been set back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

import msgspec

from gateway.errors import StoreError
from gateway.model import node_settings, text
from gateway.model.actions.node_command import NodeCommand, NodeCommandKind
from gateway.model.alarm import Alarm
from gateway.model.detection import ActivityId
from gateway.model.target import Phase, TargetClass
from gateway.monitor.inputs import Start
from gateway.monitor.policy import SavedPolicy
from gateway.store.interface import LogRow
from gateway.store.sql_commit import Database
from gateway.tuning.activity import Activity
from gateway.tuning.bounds import DAY_US, HOUR_US
from gateway.tuning.measure import Records
from gateway.tuning.overrides import KINDS, overrides_of
from gateway.tuning.report import Tuning
from gateway.tuning.timeline import Timeline
from gateway.wire import codec
from gateway.wire.errors import WireError
from gateway.wire.messages import Hello

SET = "tuning.set"  # the action of the audit entry of a tuning

_PORTION = 20_000
_MISSED = 3  # heartbeats: after so many the gateway takes a node for offline
_CLASSES = {one.value: one for one in TargetClass}
_THRESHOLD, _HEARTBEAT = node_settings.THRESHOLD_X10, node_settings.HEARTBEAT_S

_DETECTIONS = (
    "SELECT id, node, boot, onset_ms, phase, class, confidence_pct, onset_us, report_us "
    "FROM detection WHERE id > ? AND onset_us >= ? AND onset_us < ? ORDER BY id LIMIT ?"
)
# Between two heartbeats of one node; `id` is the override in which they were received.
_GAPS = (
    "FROM (SELECT node, arrival_us AS until_us, lag(arrival_us) OVER "
    "(PARTITION BY node ORDER BY id) AS since_us FROM message "
    "WHERE kind = 'health' AND arrival_us >= ? AND arrival_us < ?) AS beat "
    "WHERE until_us > since_us AND until_us - since_us <= ?"
)
_WITHIN = (
    f"SELECT node, until_us / {HOUR_US}, sum(until_us - since_us) {_GAPS} "
    f"AND until_us / {HOUR_US} = since_us / {HOUR_US} GROUP BY node, until_us / {HOUR_US}"
)
_ACROSS = f"SELECT node, since_us, until_us {_GAPS} AND until_us / {HOUR_US} > since_us / {HOUR_US}"


class _Stated(NamedTuple):
    """Settings over time, as nodes stated them."""

    thresholds: dict[str, list[tuple[int, int | None]]]
    heartbeats_s: dict[str, list[tuple[int, int | None]]]


def read(db: Database, from_us: int, until_us: int) -> Records:
    """Everything from one moment of the store. Raises StoreError where it holds no log."""
    log, site = _log(db, from_us)
    if site is None:
        raise StoreError("the store holds no log with a site: no gateway of this version ran on it")
    records = Records(from_us, until_us, {node.id: node.sector for node in site.site.nodes})
    records.overrides = overrides_of(row for row in log if row.at_us < until_us)
    records.activities, odd = _activities(db, from_us, until_us)
    records.alarms, unreadable = _alarms(db, from_us)
    late = db.run("SELECT count(*) FROM detection WHERE onset_us >= ?", (until_us,))[0][0]
    records.left_out = odd + unreadable + late
    stated = _stated(db)
    records.thresholds = {name: Timeline(pairs) for name, pairs in stated.thresholds.items()}
    heartbeats_s = {name: Timeline(pairs) for name, pairs in stated.heartbeats_s.items()}
    records.listened_s = _listened(db, from_us, until_us, heartbeats_s)
    records.tunings = tunings(db)
    return records


def newest_us(db: Database, now_us: int) -> int:
    """The end of what a store holds: its newest heartbeat up to now, or now where it has none."""
    found = db.run(
        "SELECT max(arrival_us) FROM message WHERE kind = 'health' AND arrival_us < ?", (now_us,)
    )[0][0]
    return now_us if found is None else int(found) + 1


def tunings(db: Database) -> list[Tuning]:
    """All that the audit still holds, oldest first."""
    rows = db.run(
        "SELECT at_us, actor, reason, until_us, detail_json FROM audit WHERE action = ? "
        "ORDER BY id",
        (SET,),
    )
    found = []
    for at_us, actor, reason, until_us, detail_json in rows:
        try:
            given = {
                **msgspec.json.decode(detail_json, type=dict[str, Any]),
                "by": actor,
                "reason": reason,
                "at_us": at_us,
                "until_us": until_us,
            }
            one = msgspec.convert(given, Tuning)
        except (ValueError, TypeError):
            continue  # `groundwatch audit verify` is what shows an altered entry
        limits = (_THRESHOLD.low, _THRESHOLD.high)
        if all(limits[0] <= x <= limits[1] for x in (one.before_x10, one.after_x10, one.base_x10)):
            found.append(one)
    return found


def _log(db: Database, from_us: int) -> tuple[list[LogRow], SavedPolicy | None]:
    """Overrides from the last start before the period on, and the newest policy."""
    marks = ", ".join("?" * len(KINDS))
    first = db.run(
        "SELECT coalesce(max(id), 0) FROM log WHERE kind = 'Start' AND at_us <= ?", (from_us,)
    )[0][0]
    rows = db.run(
        f"SELECT id, at_us, kind, source, value FROM log WHERE id >= ? AND kind IN ({marks}) "
        "ORDER BY id",
        (first, *KINDS),
    )
    log = [LogRow(*row) for row in rows]
    for row in reversed(log):
        try:
            if row.kind == "Start":
                return log, text.parse_json(row.value, Start).policy
            if row.kind == "SavedPolicy":
                return log, text.parse_json(row.value, SavedPolicy)
        except ValueError:
            continue
    return log, None


def _reports(db: Database, from_us: int, until_us: int) -> Iterator[tuple[Any, ...]]:
    last = 0
    while True:
        rows = db.run(_DETECTIONS, (last, from_us, until_us, _PORTION))
        yield from rows
        if len(rows) < _PORTION:
            return
        last = rows[-1][0]


def _activities(db: Database, from_us: int, until_us: int) -> tuple[list[Activity], int]:
    found: dict[ActivityId, Activity] = {}
    odd = 0
    for _id, node, boot, onset_ms, phase, named, pct, onset_us, report_us in _reports(
        db, from_us, until_us
    ):
        target = _CLASSES.get(named)
        if target is None or not 0 <= pct <= 100 or report_us < onset_us:
            odd += 1
            continue
        key = ActivityId(node, boot, onset_ms)
        first = pct if phase == Phase.ONSET.value else None
        known = found.get(key)
        if known is None:
            found[key] = Activity(key, onset_us, report_us, target, first, pct)
            continue
        found[key] = Activity(
            key,
            known.onset_us,
            max(known.end_us, report_us),
            known.target if target is TargetClass.UNKNOWN else target,
            known.first_pct if first is None else first,
            max(known.peak_pct, pct),
        )
    return list(found.values()), odd


def _alarms(db: Database, from_us: int) -> tuple[list[Alarm], int]:
    found, unreadable = [], 0
    # An activity may have started a day before its alarm: a node brings it from its ledger.
    rows = db.run("SELECT value FROM alarm WHERE raised_us >= ? ORDER BY id", (from_us - DAY_US,))
    for (value,) in rows:
        try:
            found.append(text.parse_json(value, Alarm))
        except ValueError:
            unreadable += 1
    return found, unreadable


def _stated(db: Database) -> _Stated:
    """From hellos, and from the answers to `configure`."""
    stated = _Stated({}, {})
    for node, at_us, payload in db.run(
        "SELECT node, arrival_us, payload FROM message WHERE kind = 'hello' ORDER BY id"
    ):
        try:
            message = codec.decode(bytes(payload), "up")
        except WireError:
            continue  # erased, or of another version of the wire
        if isinstance(message, Hello):
            given = None if message.settings is None else node_settings.decode(message.settings)
            _state(stated, node, at_us, given)
    for name, view in _views(db):
        if name not in stated.thresholds:  # its newest hello is older than messages are kept
            _state(stated, name, 0, view)
    for command in _configured(db):
        _state(stated, command.node, command.ended_us, command.answer_settings)
    return stated


def _state(stated: _Stated, node: str, at_us: int, given: dict[str, int] | None) -> None:
    full = None if given is None else {**node_settings.DEFAULTS, **given}
    threshold = None if full is None else full[_THRESHOLD.name]
    stated.thresholds.setdefault(node, []).append((at_us, threshold))
    heartbeat_s = None if full is None else full[_HEARTBEAT.name]
    stated.heartbeats_s.setdefault(node, []).append((at_us, heartbeat_s))


class _View(msgspec.Struct):
    """Of a node's state row (gateway.intake) what is needed here."""

    settings: dict[str, int] | None = None


def _views(db: Database) -> Iterable[tuple[str, dict[str, int]]]:
    for name, value in db.run("SELECT name, value FROM state WHERE name LIKE ?", ("node:%",)):
        try:
            settings = text.parse_json(cast(str, value), _View).settings
        except ValueError:
            continue
        if settings is not None:
            yield name.removeprefix("node:"), settings


def _configured(db: Database) -> Iterable[NodeCommand]:
    for (value,) in db.run("SELECT value FROM state WHERE name LIKE ?", ("command:%",)):
        try:
            command = text.parse_json(cast(str, value), NodeCommand)
        except ValueError:
            continue
        if command.kind is NodeCommandKind.CONFIGURE and command.answer_settings is not None:
            yield command


def _listened(
    db: Database, from_us: int, until_us: int, heartbeats_s: dict[str, Timeline]
) -> dict[tuple[str, int], float]:
    """Seconds between heartbeats that are no further apart than the node's interval of then
    allows."""
    found: dict[tuple[str, int], float] = {}

    def interval_s(node: str, at_us: int) -> int:
        line = heartbeats_s.get(node)
        return (line.at(at_us) if line is not None else None) or _HEARTBEAT.first

    intervals = {_HEARTBEAT.first}
    for line in heartbeats_s.values():
        intervals.update(seconds for seconds in line.values if seconds is not None)
    for one_s in sorted(intervals):
        values = (from_us, until_us, _MISSED * one_s * 1_000_000)
        for node, hour, micros in db.run(_WITHIN, values):
            if interval_s(node, int(hour) * HOUR_US) == one_s:
                _add(found, node, int(hour), int(micros))
        for node, since_us, end_us in db.run(_ACROSS, values):
            is_its = interval_s(node, since_us) == one_s
            while is_its and since_us < end_us:
                hour = since_us // HOUR_US
                upto_us = min(end_us, (hour + 1) * HOUR_US)
                _add(found, node, hour, upto_us - since_us)
                since_us = upto_us
    return found


def _add(found: dict[tuple[str, int], float], node: str, hour: int, micros: int) -> None:
    # A clock that was set back brings the same hour twice.
    found[node, hour] = min(3600.0, found.get((node, hour), 0.0) + micros / 1e6)
