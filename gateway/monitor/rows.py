# SPDX-License-Identifier: MIT
"""Monitor: its state as rows of the store and back; only what changed is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import msgspec

from gateway.alarms import AlarmState
from gateway.alarms.saved import SavedOverrides, saved_overrides, with_overrides
from gateway.fusion import FusionState
from gateway.fusion.floors import NodeFloor, NoiseFloors
from gateway.model import text
from gateway.model.alarm import Alarm
from gateway.model.event import Event
from gateway.monitor import earlier
from gateway.monitor.cues import Cues
from gateway.monitor.inputs import Start
from gateway.monitor.policy import Policy, saved
from gateway.monitor.step import MonitorState
from gateway.store.interface import Snapshot

_EVENT, _FLOOR = "event:", "ear:"  # prefixes of state rows
_FUSION, _ORDERS, _CUES = "fusion", "orders", "cues"
_LAST_EVENT = "last_event"  # of stores of earlier versions
_PREFIXES = (_EVENT, _FLOOR, _FUSION, _ORDERS, _CUES, _LAST_EVENT)

Rows = dict[str, str]
_T = TypeVar("_T")


def changed_rows(before: MonitorState, now: MonitorState, floor: str = "") -> Rows:
    """State rows that are different; an empty value ends a row. `floor` names the only node whose
    noise floor may differ: ten thousand are not compared for one heartbeat."""
    rows: Rows = {}
    old = {event.id: event for event in before.fusion.events}
    new = {event.id: event for event in now.fusion.events}
    rows |= {f"{_EVENT}{name}": "" for name in old if name not in new}
    for name, event in new.items():
        if old.get(name) is not event:
            rows[f"{_EVENT}{name}"] = text.format_json(event)
    floors, known = now.fusion.floors.by_node, before.fusion.floors.by_node
    if floors is not known:
        for name in (floor,) if floor else floors:
            if known.get(name) is not floors[name]:
                rows[f"{_FLOOR}{name}"] = text.format_json(floors[name])
    rest = _rest(now.fusion)
    if rest != _rest(before.fusion):
        rows[_FUSION] = text.format_json(rest)
    orders = saved_overrides(now.alarms)
    if orders != saved_overrides(before.alarms):
        rows[_ORDERS] = text.format_json(orders)
    if now.cues is not before.cues:
        # By number: JSON has texts as keys.
        rows[_CUES] = text.format_json(msgspec.to_builtins(now.cues, str_keys=True))
    return rows


def _rest(fusion: FusionState) -> FusionState:
    return replace(fusion, events=(), floors=NoiseFloors())


def start_of(snapshot: Snapshot, policy: Policy) -> Start:
    """What a run of the gateway starts with, by the store."""
    rows = {n: v for n, v in snapshot.state.items() if n.startswith(_PREFIXES) and v}
    return Start(
        saved(policy),
        rows,
        snapshot.open_alarms,
        snapshot.closed_alarms,
        snapshot.last_alarm_id,
        snapshot.last_history_id,
    )


def start_from(state: MonitorState, last_history_id: int) -> Start:
    """The same from a state."""
    alarms = state.alarms
    return Start(
        saved(state.policy),
        changed_rows(MonitorState(state.policy), state),
        [text.format_json(alarm) for alarm in alarms.open],
        [text.format_json(alarm) for alarm in alarms.closed],
        alarms.last_id,
        last_history_id,
    )


def _read(
    value: str, kind: type[_T], otherwise: Callable[[str], _T | None] = lambda _value: None
) -> _T | None:
    for parse in (lambda given: text.parse_json(given, kind), otherwise):
        with suppress(ValueError):
            return parse(value)
    return None


def _alarms(values: Iterable[str]) -> tuple[Alarm, ...]:
    """One that others wrote into the store, and nothing can read, must not stop the gateway; the
    audit names it."""
    read = (_read(value, Alarm) for value in values)
    return tuple(alarm for alarm in read if alarm is not None)


def restored_state(blank: MonitorState, start: Start) -> MonitorState:
    """The state that a run starts with. An open event of a node that the site no longer has is
    dropped; so is what this version cannot read of events and floors."""
    site = blank.policy.site
    floors: dict[str, NodeFloor] = {}
    events: list[Event] = []
    fusion = FusionState()
    for name, value in start.state.items():
        if name.startswith(_EVENT):
            event = _read(value, Event, earlier.event_of)
            if event is not None and set(event.nodes) <= set(site.nodes):
                events.append(event)
        elif name.startswith(_FLOOR) and name.removeprefix(_FLOOR) in site.nodes:
            floor = _read(value, NodeFloor, earlier.floor_of)
            if floor is not None:
                floors[name.removeprefix(_FLOOR)] = floor
    if _FUSION in start.state:
        fusion = text.parse_json(start.state[_FUSION], FusionState)
    events.sort(key=lambda event: int(event.id.removeprefix("e")))
    newest = max((int(event.id.removeprefix("e")) for event in events), default=0)
    fusion = replace(
        fusion,
        events=tuple(events),
        floors=NoiseFloors(floors),
        last_number=max(fusion.last_number, newest, int(start.state.get(_LAST_EVENT, "0"))),
    )
    alarms = AlarmState(
        _alarms(start.open_alarms), _alarms(start.closed_alarms), start.last_alarm_id
    )
    if _ORDERS in start.state:
        alarms = with_overrides(alarms, text.parse_json(start.state[_ORDERS], SavedOverrides))
    cues = text.parse_json(start.state[_CUES], Cues) if _CUES in start.state else Cues()
    return replace(blank, fusion=fusion, alarms=alarms, cues=cues)
