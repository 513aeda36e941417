# SPDX-License-Identifier: MIT
"""The map table: an event with one more report in it, judged and placed anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from gateway.fusion.arrivals import arrivals
from gateway.fusion.confirm import Verdict, judge
from gateway.fusion.ears import Ears
from gateway.fusion.heard import heard
from gateway.fusion.modes import Path
from gateway.fusion.motions import motion_of
from gateway.fusion.path import fit
from gateway.fusion.rules import Rules
from gateway.model.detection import Detection
from gateway.model.event import Activity, Event, Fix, Sound, Track
from gateway.model.site import Site
from gateway.model.target import Phase, TargetClass

_ONE_NODE_M = 30.0  # half of the nodes hear a walker at 25 to 35 m: all that one node says of where
_RECENT_US = 10_000_000  # of an event's nodes, those heard this lately say where it is
_LEAD_US = 8_000_000
_ONSET_PEAK_US = 4_000_000
_BEST_FOR_US = 40_000_000  # how long a motion that was known well stands against vaguer ones
_WORSE = 1.2
_WHITHER_NODES = 3  # two are passed in some order by whoever crosses between them
_FADED = 0.75  # of the loudest report: two deviations of a few steps' peaks
_LEAST_SPEED_M_S = 0.3  # slower, and it has no direction: somebody who digs or waits


def grown(
    before: Event | None,
    event_id: str,
    site: Site,
    ears: Ears,
    rules: Rules,
    now_us: int,
    activities: tuple[Activity, ...],
    busy: Collection[str],
) -> Event:
    """The event (None before: a new one) as these activities tell it; `busy` nodes hear another."""
    last_us = max(activity.report_us for activity in activities)
    found = path_of(site, ears, activities, before.target if before else None, busy)
    verdict = judge(site, ears, rules, activities, found, last_us)
    x_m, y_m, error_m = _place(site, activities, found, last_us)
    sectors = before.sectors if before else ()
    told = before.reasons if before else ()
    return Event(
        id=event_id,
        activities=activities,
        sectors=tuple(dict.fromkeys((*sectors, *(activity.sector for activity in activities)))),
        target=verdict.target,
        confidence=verdict.confidence,
        first_us=min(activity.onset_us for activity in activities),
        last_us=last_us,
        touched_us=max(now_us, before.touched_us) if before else now_us,
        x_m=round(x_m, 1) + 0.0,  # and no -0.0
        y_m=round(y_m, 1) + 0.0,
        track=_track(before.track if before else None, found, last_us, _tells_whither(activities)),
        confirmed=verdict.confirmed or bool(before and before.confirmed),
        closed=False,
        reasons=_reasons(told, (*verdict.reasons, *_placed(verdict, found)), activities),
        error_m=round(error_m, 1),
        fix=_fix(found, last_us),
        late_us=before.late_us if before else 0,
    )


def _placed(verdict: Verdict, found: Path | None) -> tuple[str, ...]:
    """A reason like those of the verdict, which have it only where an operator is told."""
    if found is None or not found.by_arrivals or not verdict.reasons:
        return ()
    return ("the times at which its steps came to several nodes say where it is",)


def _reasons(
    before: tuple[str, ...], now: tuple[str, ...], activities: Sequence[Activity]
) -> tuple[str, ...]:
    """Each once, of whichever node it was told first."""
    nodes = {activity.id.node for activity in activities}
    told: dict[str, str] = {}
    for reason in (*before, *now):
        who, _, what = reason.partition(" ")
        told.setdefault(what if who in nodes else reason, reason)
    return tuple(told.values())


def merged(
    activities: tuple[Activity, ...], detection: Detection, sounds_most: int
) -> tuple[Activity, ...]:
    """The activities with this report in its own: the order in which reports come is nothing."""
    known = {activity.id: activity for activity in activities}
    before = known.get(detection.activity)
    sounds = _sounds(before.sounds if before else (), detection)
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
            cadence_hz=detection.cadence_hz,
            strikes=before.strikes if before else (),
        )
        # The best word a node had about the activity stands: the end of a walk is quiet and unsure.
        if before and before.confidence > latest.confidence:
            latest = replace(latest, target=before.target, confidence=before.confidence)
    else:
        latest = replace(before, reports=before.reports + 1)
    loudest = max(s.peak_um_s for s in sounds)
    if before and detection.peak_um_s < loudest:
        latest = replace(latest, cadence_hz=before.cadence_hz)  # the rhythm where it was clearest
    known[detection.activity] = replace(latest, sounds=sounds[-sounds_most:])
    return tuple(sorted(known.values(), key=lambda activity: (activity.onset_us, activity.id)))


def _sounds(before: tuple[Sound, ...], detection: Detection) -> tuple[Sound, ...]:
    at_us, since_us = detection.report_us, None
    if detection.phase is Phase.ONSET:
        # It tells the peak of the seconds before it was made, which is when it came if it came at
        # once; its onset may reach back further (ugs.detect.activity).
        at_us = max(at_us, min(detection.arrival_us, detection.onset_us + _LEAD_US))
        since_us = min(detection.onset_us, at_us - _ONSET_PEAK_US)
    sound = Sound(at_us, detection.peak_um_s, detection.pir_count, since_us)
    return tuple(sorted({*before, sound}, key=lambda one: (one.at_us, one.peak_um_s)))


def path_of(
    site: Site,
    ears: Ears,
    activities: Sequence[Activity],
    target: TargetClass | None,
    busy: Collection[str],
    least_nodes: int = 2,
) -> Path | None:
    """What the nodes say of its way, from two nodes on; `target` None is what the surest says."""
    if len({activity.id.node for activity in activities}) < least_nodes:
        return None
    surest = max(activities, key=lambda a: (a.confidence, a.peak_um_s))
    motion = motion_of(surest.target if target is None else target, surest.cadence_hz)
    at_us = max(activity.report_us for activity in activities)
    struck = arrivals(site, activities, at_us)
    return fit(heard(site, ears, activities, busy, at_us), motion, site.ground, struck)


def _tells_whither(activities: Sequence[Activity]) -> bool:
    """Whether three nodes heard it, and one hears it fade: of two nodes, or as long as it grows
    louder at all of them, chance in the losses of their paths says more of whither it goes than
    its way does."""
    return len({activity.id.node for activity in activities}) >= _WHITHER_NODES and any(
        activity.phase is Phase.END
        or (activity.sounds and activity.sounds[-1].peak_um_s < _FADED * _loudest(activity))
        for activity in activities
    )


def _loudest(activity: Activity) -> float:
    return max(sound.peak_um_s for sound in activity.sounds)


def _track(before: Track | None, found: Path | None, at_us: int, whither: bool) -> Track | None:
    """The motion as it was known best lately: who goes away is heard ever worse."""
    if found is None or found.speed_m_s is None or found.speed_m_s < _LEAST_SPEED_M_S:
        return before
    direction = found.direction_deg if whither else None
    if before is not None and at_us - before.at_us <= _BEST_FOR_US:
        says_less = direction is None and before.direction_deg is not None
        if says_less or found.error_m > _WORSE * before.error_m:
            return before
    return Track(
        None if direction is None else round(direction, 1),
        round(found.speed_m_s, 2),
        at_us,
        round(found.error_m, 2),
    )


def _fix(found: Path | None, at_us: int) -> Fix | None:
    if found is None:
        return None
    return Fix(
        at_us=at_us,
        x_m=round(found.x_m, 2),
        y_m=round(found.y_m, 2),
        vx_m_s=round(found.vx_m_s, 3),
        vy_m_s=round(found.vy_m_s, 3),
        error_m=round(found.error_m, 2),
        loudness=round(found.loudness, 3),
    )


def _place(
    site: Site, activities: Sequence[Activity], found: Path | None, at_us: int
) -> tuple[float, float, float]:
    """(x_m, y_m, error_m): of the path, or the middle, by loudness, of the nodes heard lately."""
    if found is not None:
        return found.x_m, found.y_m, found.error_m
    recent = [a for a in activities if at_us - a.report_us <= _RECENT_US]
    weights = [max(activity.peak_um_s, 0.01) for activity in recent]
    nodes = [site.nodes[activity.id.node] for activity in recent]
    total = sum(weights)
    x_m = sum(w * node.x_m for w, node in zip(weights, nodes, strict=True)) / total
    y_m = sum(w * node.y_m for w, node in zip(weights, nodes, strict=True)) / total
    return x_m, y_m, _ONE_NODE_M
