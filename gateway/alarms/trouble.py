# SPDX-License-Identifier: MIT
"""Alarms about the line itself: a node's troubles, and those of many nodes at once."""

from __future__ import annotations

from dataclasses import replace

from gateway.alarms.state import AlarmState, Changes, add, blank, put
from gateway.model.alarm import Alarm, AlarmChange, AlarmKind, Change
from gateway.model.observation import AreaCondition, NodeCondition


def on_node(state: AlarmState, trouble: NodeCondition, now_us: int) -> tuple[AlarmState, Changes]:
    """A trouble of one node."""
    key = f"{trouble.node}/{trouble.detail}"
    known = _latched(state, trouble.kind, key)
    if trouble.active and known is None:
        alarm = replace(
            blank(state, trouble.kind, key, now_us),
            nodes=(trouble.node,),
            sectors=(trouble.sector,),
            reasons=(trouble.reason,),
        )
        return add(state, alarm, now_us)
    return _turned(state, known, trouble.active, now_us)


def on_area(state: AlarmState, trouble: AreaCondition, now_us: int) -> tuple[AlarmState, Changes]:
    """A trouble of a sector or of the whole site."""
    known = _latched(state, trouble.kind, trouble.key)
    if trouble.active and known is None:
        alarm = replace(
            blank(state, trouble.kind, trouble.key, now_us),
            nodes=trouble.nodes,
            sectors=trouble.sectors,
            reasons=(trouble.reason,),
        )
        return add(state, alarm, now_us)
    return _turned(state, known, trouble.active, now_us)


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
