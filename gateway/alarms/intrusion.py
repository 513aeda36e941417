# SPDX-License-Identifier: MIT
"""Alarms: one intrusion alarm per event of fusion; it is reactivated for each sector it reaches."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from gateway.alarms import suppression
from gateway.alarms.confirmation import may_raise
from gateway.alarms.rules import LATE_US, AlarmRules
from gateway.alarms.state import AlarmState, Changes, add, blank, put, reactivate
from gateway.model.alarm import SURE, Alarm, AlarmChange, AlarmKind, Change
from gateway.model.event import Event, turned


def on_event(
    state: AlarmState, rules: AlarmRules, event: Event, now_us: int
) -> tuple[AlarmState, Changes]:
    """(new state, changes in order)."""
    known = next(
        (a for a in state.open if a.active and a.kind is AlarmKind.INTRUSION and a.key == event.id),
        None,
    )
    if known is None:
        return _first(state, rules, event, now_us)
    late = known.late and (event.closed or now_us - event.last_us > LATE_US)
    alarm = _described(replace(known, late=late), event)
    walk = suppression.authorised(state, alarm, event.first_us, event.last_us) or event.own
    masked = suppressed = ""
    if known.is_suppressed:
        masked, suppressed = suppression.suppressed(
            state, rules, alarm.nodes, _effective_us(alarm, event, now_us)
        )
    alarm = suppression.prioritised(replace(alarm, walk=walk, masked=masked, suppressed=suppressed))
    reached = [sector for sector in alarm.sectors if sector not in known.sectors]
    returned = _more_urgent(known, alarm)
    changes = []
    if reached:
        changes.append(Change.SECTOR)
    elif returned:
        changes.append(Change.RETURNED)
    elif _notable(alarm) != _notable(known) or turned(known.direction_deg, alarm.direction_deg):
        changes.append(Change.UPDATED)
    if not alarm.is_suppressed and (
        returned or (reached and _unsuppressed(state, rules, alarm, reached, now_us))
    ):
        alarm = reactivate(alarm, now_us)
    if event.closed:
        alarm = replace(alarm, active=False)
        changes.append(Change.CLEARED)
    if changes:
        alarm = replace(alarm, changed_us=now_us)
    return put(state, alarm), tuple(AlarmChange(change, alarm, now_us) for change in changes)


def _first(
    state: AlarmState, rules: AlarmRules, event: Event, now_us: int
) -> tuple[AlarmState, Changes]:
    late = now_us - event.last_us > LATE_US
    if event.closed or not may_raise(rules, event, event.last_us if late else now_us):
        return state, ()
    alarm = _described(
        replace(blank(state, AlarmKind.INTRUSION, event.id, now_us), late=late, unsure=True),
        event,
    )
    walk = suppression.authorised(state, alarm, event.first_us, event.last_us) or event.own
    masked, suppressed = suppression.suppressed(
        state, rules, alarm.nodes, _effective_us(alarm, event, now_us)
    )
    alarm = replace(alarm, walk=walk, masked=masked, suppressed=suppressed)
    return add(state, suppression.prioritised(alarm), now_us)


def _effective_us(alarm: Alarm, event: Event, now_us: int) -> int:
    """The time whose arming counts: that of the detection, not of a late report."""
    return event.last_us if alarm.late else now_us


def _more_urgent(known: Alarm, alarm: Alarm) -> bool:
    """No mask, disarmed sector, authorised activity, late report or low confidence applies now."""
    return (
        (known.is_suppressed and not alarm.is_suppressed)
        or (bool(known.walk) and not alarm.walk)
        or (known.late and not alarm.late)
        or (known.unsure and not alarm.unsure)
    )


def _unsuppressed(
    state: AlarmState, rules: AlarmRules, alarm: Alarm, reached: list[str], now_us: int
) -> bool:
    nodes = tuple(node for node in alarm.nodes if rules.sector_of.get(node, "") in reached)
    return not nodes or suppression.suppressed(state, rules, nodes, now_us) == ("", "")


def _described(alarm: Alarm, event: Event) -> Alarm:
    reasons = event.reasons
    if alarm.late:
        when = datetime.fromtimestamp(event.first_us // 1_000_000, UTC)
        reasons = (f"reported late: it started at {when:%Y-%m-%d %H:%M} UTC", *reasons)
    track = event.track
    direction_deg, speed_m_s = (track.direction_deg, track.speed_m_s) if track else (None, None)
    return replace(
        alarm,
        nodes=event.nodes,
        sectors=event.sectors,
        reasons=reasons,
        detections=tuple(activity.id for activity in event.activities),
        target=event.target,
        confidence=event.confidence,
        # High confidence stays: a target that leaves is detected with less confidence.
        unsure=alarm.unsure and event.confidence < SURE,
        x_m=event.x_m,
        y_m=event.y_m,
        error_m=event.error_m or None,
        ellipse=event.ellipse,
        sources=tuple(dict.fromkeys(plot.source for plot in event.plots)),
        direction_deg=alarm.direction_deg if direction_deg is None else direction_deg,
        speed_m_s=alarm.speed_m_s if speed_m_s is None else speed_m_s,
    )


def _notable(alarm: Alarm) -> tuple[object, ...]:
    """What makes a new entry in the history; position and confidence change all the time."""
    what = frozenset(alarm.nodes), frozenset(alarm.sectors), frozenset(alarm.sources)
    suppressed_by = alarm.masked, alarm.suppressed, alarm.walk
    return (*what, alarm.target, alarm.reasons, alarm.direction_deg is None, *suppressed_by)
