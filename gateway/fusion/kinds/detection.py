# SPDX-License-Identifier: MIT
"""Fusion: detections of nodes: association with events, and the evidence they give."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from gateway.fusion.estimate.measurements import Rows, detects_from, node_rows
from gateway.fusion.estimate.modes import Path
from gateway.fusion.estimate.residuals import LN_PER_DB
from gateway.fusion.evidence.signs import Scene, Sign, evidence
from gateway.fusion.gating import compatible, may_be_driven
from gateway.fusion.kinds.kind import Context, Kind
from gateway.fusion.rules import SPEED_MAX_M_S, Rules
from gateway.model.detection import Detection
from gateway.model.event import Activity, Event, LevelReport
from gateway.model.place.site import Node
from gateway.model.target import Phase, TargetClass

_DEVIATIONS = 2.5  # of a path's loss, beyond which a node cannot have detected an event
# Half of the nodes detect a walker at 25 to 35 m: one node alone gives no better place.
ONE_NODE_M = 30.0
_LEAD_US = 8_000_000
_ONSET_PEAK_US = 4_000_000


class DetectionKind(Kind[Detection]):
    """Onset, updates and end of one activity of one node."""

    observation = Detection
    joins = True
    needs_place = True

    def accepts(self, context: Context, given: Detection) -> bool:
        return given.node in context.site.nodes

    def span(self, given: Detection) -> tuple[int, int]:
        return given.onset_us, given.report_us

    def is_same(self, event: Event, context: Context, given: Detection) -> bool:
        return any(activity.id == given.activity for activity in event.activities)

    def gate(self, event: Event, context: Context, given: Detection) -> bool:
        """The node did not lose it already, and an activity or a plot is near in time and place.
        A digger rests and stays: his node may detect him again."""
        rules, here = context.rules, context.site.nodes[given.node]
        stays = event.target is given.target is TargetClass.DIGGING
        if not compatible(event.target, given.target):
            return False
        if _has_lost(event, given.node) and not stays:
            return False
        return any(
            _near(_Source.of(one, context), here, rules, given) for one in event.activities
        ) or any(
            _near(
                _Source(one.x_m, one.y_m, one.target, one.at_us, one.at_us, False),
                here,
                rules,
                given,
            )
            for one in event.plots[-1:]
        )

    def cost(self, event: Event, context: Context, given: Detection) -> float | None:
        """Metres from the node to where the event is then, if it can be detected from there."""
        here = context.site.nodes[given.node]
        if not _detectable(event, here, context):
            return None
        x_m, y_m, fix = event.x_m, event.y_m, event.fix
        if fix is not None and event.track is not None and event.track.direction_deg is not None:
            ahead_s = (given.onset_us - fix.at_us) / 1e6
            x_m, y_m = fix.x_m + fix.vx_m_s * ahead_s, fix.y_m + fix.vy_m_s * ahead_s
        return math.hypot(here.x_m - x_m, here.y_m - y_m)

    def opens(self, context: Context, given: Detection) -> bool:
        """Not an end without confidence: nothing is left to observe."""
        return given.phase is not Phase.END or given.confidence > 0

    def start(self, context: Context, given: Detection) -> tuple[float, float, float]:
        here = context.site.nodes[given.node]
        return here.x_m, here.y_m, ONE_NODE_M

    def merge(self, event: Event, context: Context, given: Detection) -> Event:
        activities = _merge(event.activities, given, context.rules)
        new = replace(
            event,
            activities=activities,
            sectors=tuple(dict.fromkeys((*event.sectors, *(one.sector for one in activities)))),
        )
        if given.phase is Phase.ONSET:
            return new
        late_us = min(given.arrival_us - given.report_us, context.rules.max_late_us)
        return replace(new, late_us=max(new.late_us, late_us))

    def combine(self, event: Event, other: Event, context: Context) -> Event:
        activities = (*event.activities, *other.activities)
        return replace(
            event,
            activities=tuple(sorted(activities, key=lambda one: (one.onset_us, one.id))),
            sectors=tuple(dict.fromkeys((*event.sectors, *other.sectors))),
        )

    def rows(self, event: Event, context: Context, busy: Collection[str], at_us: int) -> Rows:
        return node_rows(context.site, context.state.floors, event.activities, busy, at_us)

    def votes(self, event: Event) -> Mapping[TargetClass, float]:
        """Each activity counts."""
        found: dict[TargetClass, float] = {}
        for activity in event.activities:
            found[activity.target] = found.get(activity.target, 0.0) + activity.confidence
        return found

    def signs(
        self, event: Event, context: Context, target: TargetClass, path: Path | None
    ) -> Iterable[Sign]:
        state = context.state
        # What is an alarm already is no part of a shock that keeps another one back.
        apart = [one for one in state.events if one.id != event.id and not one.confirmed]
        others = tuple(activity for one in apart for activity in one.activities)
        scene = Scene(context.site, state.floors, state.records, context.rules, others)
        return evidence(scene, event.activities, target, path, event.last_us)


class _Source:
    """Where and when something was observed that a detection may be another report of."""

    __slots__ = ("ended", "from_us", "target", "until_us", "x_m", "y_m")

    def __init__(
        self,
        x_m: float,
        y_m: float,
        target: TargetClass,
        from_us: int,
        until_us: int,
        ended: bool,
    ) -> None:
        self.x_m, self.y_m, self.target = x_m, y_m, target
        self.from_us, self.until_us, self.ended = from_us, until_us, ended

    @classmethod
    def of(cls, activity: Activity, context: Context) -> _Source:
        node = context.site.nodes[activity.id.node]
        ended = activity.phase is Phase.END
        return cls(
            node.x_m, node.y_m, activity.target, activity.onset_us, activity.report_us, ended
        )


def _near(source: _Source, here: Node, rules: Rules, given: Detection) -> bool:
    if not compatible(source.target, given.target):
        return False
    gap_us = max(0, given.onset_us - source.until_us, source.from_us - given.report_us)
    if gap_us > (rules.ended_us if source.ended else rules.silence_us):
        return False
    apart_m = math.hypot(here.x_m - source.x_m, here.y_m - source.y_m)
    driven = may_be_driven(source.target, given.target)
    speed = max(SPEED_MAX_M_S[source.target], SPEED_MAX_M_S[given.target])
    reach_m = rules.vehicle_reach_m if driven else rules.reach_m
    return apart_m <= reach_m + speed * gap_us / 1e6


def _has_lost(event: Event, node: str) -> bool:
    """Whether the node detected it and lost it: what comes to it now is another target, unless one
    walk explains both (`duplicates`)."""
    return any(one.id.node == node and one.phase is Phase.END for one in event.activities)


def _detectable(event: Event, here: Node, context: Context) -> bool:
    """Whether this node can detect a source of that level at the event's place."""
    fix = event.fix
    # Two nodes do not separate near and quiet from far and loud, however well one walk fits them.
    if fix is None or len(event.nodes) <= 2 or event.error_m > context.rules.placed_m:
        return True
    if event.target is TargetClass.VEHICLE:
        return True
    ground = context.site.ground
    far_m = max(1.0, math.hypot(here.x_m - event.x_m, here.y_m - event.y_m) - event.error_m)
    level = fix.source_level - ground.exponent * math.log(far_m) - ground.absorption_per_m * far_m
    level += (here.gain_db + _DEVIATIONS * ground.path_db) * LN_PER_DB
    return level >= detects_from(context.state.floors, here.id)


def _merge(
    activities: tuple[Activity, ...], given: Detection, rules: Rules
) -> tuple[Activity, ...]:
    """The activities with this report in its own, whatever the order in which reports come."""
    known = {activity.id: activity for activity in activities}
    before = known.get(given.activity)
    levels = _levels(before.levels if before else (), given)
    if before is None or given.report_us >= before.report_us:
        latest = Activity(
            id=given.activity,
            sector=given.sector,
            target=given.target,
            confidence=given.confidence,
            peak_um_s=given.peak_um_s,
            pir_count=given.pir_count,
            onset_us=given.onset_us,
            report_us=given.report_us,
            reports=before.reports + 1 if before else 1,
            phase=given.phase,
            cadence_hz=given.cadence_hz,
            footfalls=before.footfalls if before else (),
        )
        # The most confident report that has a name counts: the end of a walk is quiet and unsure.
        if (
            before
            and before.target is not TargetClass.UNKNOWN
            and (before.confidence > latest.confidence or latest.target is TargetClass.UNKNOWN)
        ):
            latest = replace(latest, target=before.target, confidence=before.confidence)
    else:
        latest = replace(before, reports=before.reports + 1)
    loudest = max(level.peak_um_s for level in levels)
    if before and given.peak_um_s < loudest:
        latest = replace(latest, cadence_hz=before.cadence_hz)  # the rhythm where it was clearest
    known[given.activity] = replace(latest, levels=levels[-rules.max_levels :])
    return tuple(sorted(known.values(), key=lambda activity: (activity.onset_us, activity.id)))


def _levels(before: tuple[LevelReport, ...], given: Detection) -> tuple[LevelReport, ...]:
    at_us, since_us = given.report_us, None
    if given.phase is Phase.ONSET:
        # Its peak is of the seconds before it was sent, which is when it came if it came at once;
        # its onset may reach back further (ugs.detect.activity).
        at_us = max(at_us, min(given.arrival_us, given.onset_us + _LEAD_US))
        since_us = min(given.onset_us, at_us - _ONSET_PEAK_US)
    level = LevelReport(at_us, given.peak_um_s, given.pir_count, since_us)
    return tuple(sorted({*before, level}, key=lambda one: (one.at_us, one.peak_um_s)))
