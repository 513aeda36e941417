# SPDX-License-Identifier: MIT
"""The map table: one detection at a time joins an open event or begins one; silence closes events.

Pure: association goes by the time things happened, closing by the time their reports came.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gateway.fusion.confirm import judge
from gateway.fusion.rules import SPEED_MAX_M_S, Rules
from gateway.fusion.track import motion, place
from gateway.model.detection import Detection
from gateway.model.event import Activity, Event
from gateway.site import Site
from gateway.wire.messages import Phase, TargetClass

_RECENT_US = 10_000_000  # of an event's nodes, those heard this lately say where it is


@dataclass(frozen=True, slots=True)
class FusionState:
    """Open events in order of their beginning, and the number of the last one."""

    events: tuple[Event, ...] = ()
    last_number: int = 0


def step(
    state: FusionState, site: Site, rules: Rules, now_us: int, detection: Detection | None
) -> tuple[FusionState, tuple[Event, ...]]:
    """(new state, events that changed, oldest first)."""
    state, changed = _close_silent(state, rules, now_us)
    if detection is None or detection.node not in site.nodes:
        return state, changed
    event = _home(state, site, rules, detection)
    if event is None:
        if detection.phase is Phase.END and detection.confidence == 0:
            return state, changed
        number = state.last_number + 1
        event = _grown(None, f"e{number}", site, rules, now_us, detection)
        state = FusionState((*state.events, event), number)
    else:
        grown = _grown(event, event.id, site, rules, now_us, detection)
        state = replace(state, events=tuple(grown if e.id == event.id else e for e in state.events))
        event = grown
    state, shed = _shed(state, rules)
    return state, (*changed, event, *shed)


def _close_silent(
    state: FusionState, rules: Rules, now_us: int
) -> tuple[FusionState, tuple[Event, ...]]:
    over = tuple(replace(e, closed=True) for e in state.events if _silent(e, rules, now_us))
    if not over:
        return state, ()
    gone = {event.id for event in over}
    return replace(state, events=tuple(e for e in state.events if e.id not in gone)), over


def _silent(event: Event, rules: Rules, now_us: int) -> bool:
    quiet_us = now_us - event.touched_us
    if event.last_us - event.first_us > rules.longest_us:
        return True
    if len(event.activities) >= rules.activities_most:
        return True
    running = any(activity.phase is not Phase.END for activity in event.activities)
    # Touched in the future: the gateway's clock was set back, and the event would never end.
    return quiet_us > (rules.stale_us if running else rules.ended_us) or -quiet_us > rules.stale_us


def _shed(state: FusionState, rules: Rules) -> tuple[FusionState, tuple[Event, ...]]:
    extra = len(state.events) - rules.open_most
    if extra <= 0:
        return state, ()
    shed = tuple(replace(event, closed=True) for event in state.events[:extra])
    return replace(state, events=state.events[extra:]), shed


def _home(state: FusionState, site: Site, rules: Rules, detection: Detection) -> Event | None:
    """The open event this detection belongs to: its own activity's, else the nearest in time."""
    begins_us = detection.report_us + rules.silence_us
    ends_us = detection.onset_us - rules.silence_us
    # Most open events of a backlog are of another time: looking no further keeps it linear.
    about = [e for e in state.events if e.first_us <= begins_us and e.last_us >= ends_us]
    for event in about:
        if any(activity.id == detection.activity for activity in event.activities):
            return event
    near = [
        (gap_us, index)
        for index, event in enumerate(about)
        if (gap_us := _gap_us(event, site, rules, detection)) is not None
    ]
    return about[min(near)[1]] if near else None


def _gap_us(event: Event, site: Site, rules: Rules, detection: Detection) -> int | None:
    """Time between the detection and the nearest activity it may share a cause with, or None."""
    here = site.nodes[detection.node]
    best: int | None = None
    for activity in event.activities:
        if not _compatible(activity.target, detection.target):
            continue
        gap = max(
            0,
            detection.onset_us - activity.report_us,
            activity.onset_us - detection.report_us,
        )
        if gap > (rules.ended_us if activity.phase is Phase.END else rules.silence_us):
            continue
        there = site.nodes[activity.id.node]
        apart_m = math.hypot(here.x_m - there.x_m, here.y_m - there.y_m)
        speed = max(SPEED_MAX_M_S[activity.target], SPEED_MAX_M_S[detection.target])
        if apart_m <= rules.reach_m + speed * gap / 1e6 and (best is None or gap < best):
            best = gap
    return best


def _compatible(a: TargetClass, b: TargetClass) -> bool:
    """Whether one cause may be called both: classes on foot are easily taken for one another."""
    return (a is TargetClass.VEHICLE) == (b is TargetClass.VEHICLE) or TargetClass.UNKNOWN in (a, b)


def _grown(
    event: Event | None,
    event_id: str,
    site: Site,
    rules: Rules,
    now_us: int,
    detection: Detection,
) -> Event:
    """The event with this detection in it, judged anew."""
    activities = _merge(event.activities if event else (), detection)
    verdict = judge(site, rules, activities)
    x_m, y_m = place(site, activities, _RECENT_US)
    told = event.sectors if event else ()
    return Event(
        id=event_id,
        activities=activities,
        sectors=tuple(dict.fromkeys((*told, detection.sector))),
        target=verdict.target,
        confidence=verdict.confidence,
        first_us=min(activity.onset_us for activity in activities),
        last_us=max(activity.report_us for activity in activities),
        touched_us=max(now_us, event.touched_us) if event else now_us,
        x_m=round(x_m, 1),
        y_m=round(y_m, 1),
        track=motion(site, activities, verdict.target, rules),
        confirmed=verdict.confirmed or bool(event and event.confirmed),
        closed=False,
        reasons=tuple(dict.fromkeys((*(event.reasons if event else ()), *verdict.reasons))),
    )


def _merge(activities: tuple[Activity, ...], detection: Detection) -> tuple[Activity, ...]:
    known = {activity.id: activity for activity in activities}
    before = known.get(detection.activity)
    if before is None or detection.report_us >= before.report_us:
        latest = Activity(
            id=detection.activity,
            sector=detection.sector,
            target=detection.target,
            confidence=detection.confidence,
            peak_um_s=detection.peak_um_s,
            pir_count=detection.pir_count,
            onset_us=detection.onset_us,
            report_us=detection.report_us,
            reports=before.reports + 1 if before else 1,
            phase=detection.phase,
        )
        # The best word a node had about the activity stands: the end of a walk is quiet and unsure.
        if before and before.confidence > latest.confidence:
            latest = replace(latest, target=before.target, confidence=before.confidence)
    else:
        latest = replace(before, reports=before.reports + 1)
    known[detection.activity] = latest
    return tuple(sorted(known.values(), key=lambda activity: (activity.onset_us, activity.id)))
