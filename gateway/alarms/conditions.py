# SPDX-License-Identifier: MIT
"""Alarms: conditions of one node, and of many nodes at once."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.alarms.state import AlarmState, Changes, add, blank, put
from gateway.model.alarm import Alarm, AlarmChange, AlarmKind, Change
from gateway.model.observation import AreaCondition, NodeCondition


def on_node(state: AlarmState, condition: NodeCondition, now_us: int) -> tuple[AlarmState, Changes]:
    """A condition of one node."""
    key = f"{condition.node}/{condition.detail}"
    known = _latched(state, condition.kind, key)
    if condition.active and known is None:
        alarm = replace(
            blank(state, condition.kind, key, now_us),
            nodes=(condition.node,),
            sectors=(condition.sector,),
            reasons=(condition.reason,),
        )
        return add(state, alarm, now_us)
    return _turned(state, known, condition.active, now_us)


def on_area(state: AlarmState, condition: AreaCondition, now_us: int) -> tuple[AlarmState, Changes]:
    """A condition of a sector or of the whole site."""
    known = _latched(state, condition.kind, condition.key)
    if condition.active and known is None:
        alarm = replace(
            blank(state, condition.kind, condition.key, now_us),
            nodes=condition.nodes,
            sectors=condition.sectors,
            reasons=(condition.reason,),
        )
        return add(state, alarm, now_us)
    return _turned(state, known, condition.active, now_us)


def _latched(state: AlarmState, kind: AlarmKind, key: str) -> Alarm | None:
    """Latched: a node that comes and goes all night is one alarm, not hundreds."""
    return next((a for a in state.open if a.kind is kind and a.key == key), None)


def _turned(
    state: AlarmState, known: Alarm | None, active: bool, now_us: int
) -> tuple[AlarmState, Changes]:
    if known is None or known.active == active:
        return state, ()
    alarm = replace(known, active=active, changed_us=now_us)
    change = Change.AGAIN if active else Change.CLEARED
    return put(state, alarm), (AlarmChange(change, alarm, now_us),)
