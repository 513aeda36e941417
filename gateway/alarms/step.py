# SPDX-License-Identifier: MIT
"""Alarms: one alarm per crossing or condition, open until it is cleared and acknowledged.

Pure: (state, rules, input, now) -> (state, changes). Each alarm is acknowledged by itself.
"""

from __future__ import annotations

from msgspec.structs import replace

from gateway.alarms import conditions, intrusion, overrides
from gateway.alarms.inputs import AlarmInput, EventChanged, Tick
from gateway.alarms.rules import AlarmRules
from gateway.alarms.state import AlarmState, Changes, put
from gateway.alarms.tick import on_tick
from gateway.model.actions.acts import (
    Acknowledge,
    AnnounceWalk,
    LiftMask,
    ResumeSchedule,
    SetArming,
    SetMask,
    WithdrawWalk,
)
from gateway.model.alarm import AlarmChange, Change
from gateway.model.observation import AreaCondition, Claim, NodeCondition

CLAIMS_MAX = 20  # about one alarm


def step(
    state: AlarmState, rules: AlarmRules, given: AlarmInput, now_us: int
) -> tuple[AlarmState, Changes]:
    """(new state, changes in order). An action that is not possible leaves the state the same."""
    match given:
        case EventChanged(event):
            return intrusion.on_event(state, rules, event, now_us)
        case NodeCondition():
            return conditions.on_node(state, given, now_us)
        case AreaCondition():
            return conditions.on_area(state, given, now_us)
        case Claim():
            return _claimed(state, given, now_us)
        case Tick(events):
            return on_tick(state, rules, now_us, events)
        case Acknowledge():
            return _acknowledge(state, given, now_us)
        case SetMask():
            return overrides.mask(state, rules, given, now_us), ()
        case LiftMask():
            return on_tick(overrides.unmask(state, given), rules, now_us)
        case AnnounceWalk():
            return overrides.announce(state, rules, given, now_us), ()
        case WithdrawWalk():
            return overrides.withdraw(state, given, now_us), ()
        case SetArming():
            return on_tick(overrides.arm(state, rules, given, now_us), rules, now_us)
        case ResumeSchedule():
            return on_tick(overrides.resume(state, given), rules, now_us)


def _acknowledge(state: AlarmState, given: Acknowledge, now_us: int) -> tuple[AlarmState, Changes]:
    known = state.by_id(given.alarm_id)
    if known is None or (given.disposition is None and (known.acknowledged or not known.open)):
        return state, ()
    alarm = replace(known, note=given.note or known.note, changed_us=now_us)
    if not known.acknowledged:
        alarm = replace(alarm, acknowledged=True, acknowledged_by=given.by, acknowledged_us=now_us)
    if given.disposition is not None:
        alarm = replace(alarm, disposition=given.disposition, assessed_by=given.by)
    return put(state, alarm), (AlarmChange(Change.ACKNOWLEDGED, alarm, now_us, given.by),)


def _claimed(state: AlarmState, claim: Claim, now_us: int) -> tuple[AlarmState, Changes]:
    """What another system states about an alarm is shown with it, each statement once."""
    known = state.by_id(claim.alarm_id)
    text = f"{claim.kind.value} by {claim.by} ({claim.source})"
    text += f": {claim.note}" if claim.note else ""
    if known is None or text in known.claims or len(known.claims) >= CLAIMS_MAX:
        return state, ()
    alarm = replace(known, claims=(*known.claims, text), changed_us=now_us)
    return put(state, alarm), (AlarmChange(Change.CLAIMED, alarm, now_us, claim.source),)
