# SPDX-License-Identifier: MIT
"""Alarms: time passes: actions end, suppressed alarms are reactivated, others escalate."""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from gateway.alarms import overrides, suppression
from gateway.alarms.rules import CLOSED_KEPT_US, TICK_US, AlarmRules
from gateway.alarms.state import AlarmState, Changes, put, reactivate
from gateway.model.alarm import Alarm, AlarmChange, AlarmKind, Change


def on_tick(
    state: AlarmState, rules: AlarmRules, now_us: int, events: frozenset[str] | None = None
) -> tuple[AlarmState, Changes]:
    """(new state, changes in order); the same state when nothing was due."""
    state = forgotten(overrides.expire(state, now_us), now_us)
    changes: list[AlarmChange] = []
    for alarm in state.open:
        if events is not None and _orphaned(alarm, events):
            cleared = structs.replace(alarm, active=False, changed_us=now_us)
            changes.append(AlarmChange(Change.CLEARED, cleared, now_us))
            state = put(state, cleared)
            continue
        now = _returned(state, rules, alarm, now_us) if alarm.is_suppressed else alarm
        if now is not alarm:
            changes.append(AlarmChange(Change.RETURNED, now, now_us))
        if now.unacknowledged and rules.escalation:
            now = _escalated(rules, now, now_us, changes)
        if now is not alarm:
            state = put(state, now)
    return state, tuple(changes)


def forgotten(state: AlarmState, now_us: int) -> AlarmState:
    """Without closed alarms that are too old to be assessed."""
    kept = tuple(a for a in state.closed if now_us < a.changed_us + CLOSED_KEPT_US)
    return state if len(kept) == len(state.closed) else replace(state, closed=kept)


def _orphaned(alarm: Alarm, events: frozenset[str]) -> bool:
    """Its event is gone and cannot clear it: it was of a node that left the site, or of a version
    whose events this one cannot read."""
    return alarm.active and alarm.kind is AlarmKind.INTRUSION and alarm.key not in events


def _returned(state: AlarmState, rules: AlarmRules, alarm: Alarm, now_us: int) -> Alarm:
    # A late report is assessed by the time of its detection, which has passed.
    if alarm.late or suppression.suppressed(state, rules, alarm.nodes, now_us) != ("", ""):
        return alarm
    return reactivate(structs.replace(alarm, masked="", suppressed="", changed_us=now_us), now_us)


def _escalated(rules: AlarmRules, alarm: Alarm, now_us: int, changes: list[AlarmChange]) -> Alarm:
    if alarm.notified_us > now_us + TICK_US:  # the clock was set back
        return structs.replace(alarm, notified_us=now_us)
    for number, step in enumerate(rules.escalation, 1):
        if number <= alarm.escalation or alarm.priority > step.priority:
            continue
        if now_us - alarm.notified_us < step.after_us:
            break
        alarm = structs.replace(alarm, escalation=number, escalated_to=step.to, changed_us=now_us)
        changes.append(AlarmChange(Change.ESCALATED, alarm, now_us))
    return alarm
