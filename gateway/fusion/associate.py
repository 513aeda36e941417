# SPDX-License-Identifier: MIT
"""The map table: which open event a detection belongs to, if any."""

from __future__ import annotations

import math

from gateway.fusion.ears import Ears
from gateway.fusion.heard import begins_to_hear
from gateway.fusion.residuals import LN_PER_DB
from gateway.fusion.rules import SPEED_MAX_M_S, Rules
from gateway.model.detection import Detection
from gateway.model.event import Activity, Event
from gateway.model.site import Node, Site
from gateway.model.target import Phase, TargetClass

_DEVIATIONS = 2.5  # of a path's loss, beyond which a node cannot have heard an event


def home(
    events: tuple[Event, ...], site: Site, ears: Ears, rules: Rules, detection: Detection
) -> Event | None:
    """The event of the same activity; else of those that may be its cause the nearest."""
    begins_us = detection.report_us + rules.silence_us
    ends_us = detection.onset_us - rules.silence_us
    # Most open events of a backlog are of another time: looking no further keeps it linear.
    about = [e for e in events if e.first_us <= begins_us and e.last_us >= ends_us]
    for event in about:
        if any(activity.id == detection.activity for activity in event.activities):
            return event
    here = site.nodes[detection.node]
    found = [
        (_distance_m(event, here, detection.onset_us), index)
        for index, event in enumerate(about)
        if not _has_lost(event, detection.node)
        and _may_share(event, site, rules, detection)
        and _audible(event, here, site, ears, rules)
    ]
    return about[min(found)[1]] if found else None


def _has_lost(event: Event, node: str) -> bool:
    """Whether the node heard it, and then no more: what comes to it now is somebody else, unless
    one walk explains both (`cause`)."""
    return any(one.id.node == node and one.phase is Phase.END for one in event.activities)


def _distance_m(event: Event, here: Node, at_us: int) -> float:
    """From the node to where the event will have been."""
    x_m, y_m, fix = event.x_m, event.y_m, event.fix
    if fix is not None and event.track is not None and event.track.direction_deg is not None:
        ahead_s = (at_us - fix.at_us) / 1e6
        x_m, y_m = fix.x_m + fix.vx_m_s * ahead_s, fix.y_m + fix.vy_m_s * ahead_s
    return math.hypot(here.x_m - x_m, here.y_m - y_m)


def _may_share(event: Event, site: Site, rules: Rules, detection: Detection) -> bool:
    """Whether an activity of the event is near enough in time and place for one cause."""
    here = site.nodes[detection.node]
    return any(_near(activity, here, site, rules, detection) for activity in event.activities)


def _near(activity: Activity, here: Node, site: Site, rules: Rules, detection: Detection) -> bool:
    if not _compatible(activity.target, detection.target):
        return False
    gap_us = max(
        0, detection.onset_us - activity.report_us, activity.onset_us - detection.report_us
    )
    if gap_us > (rules.ended_us if activity.phase is Phase.END else rules.silence_us):
        return False
    there = site.nodes[activity.id.node]
    apart_m = math.hypot(here.x_m - there.x_m, here.y_m - there.y_m)
    driven = TargetClass.VEHICLE in (activity.target, detection.target)
    speed = max(SPEED_MAX_M_S[activity.target], SPEED_MAX_M_S[detection.target])
    reach_m = rules.vehicle_reach_m if driven else rules.reach_m
    return apart_m <= reach_m + speed * gap_us / 1e6


def _compatible(a: TargetClass, b: TargetClass) -> bool:
    """Whether one cause may be called both: classes on foot are easily taken for one another."""
    return (a is TargetClass.VEHICLE) == (b is TargetClass.VEHICLE) or TargetClass.UNKNOWN in (a, b)


def _audible(event: Event, here: Node, site: Site, ears: Ears, rules: Rules) -> bool:
    """Whether what is known of the event's place and loudness lets this node hear it at all."""
    fix = event.fix
    # Two nodes do not tell near and quiet from far and loud, however well one walk fits them.
    if fix is None or len(event.nodes) <= 2 or event.error_m > rules.placed_m:
        return True
    if event.target is TargetClass.VEHICLE:
        return True
    ground = site.ground
    far_m = max(1.0, math.hypot(here.x_m - event.x_m, here.y_m - event.y_m) - event.error_m)
    level = fix.loudness - ground.exponent * math.log(far_m) - ground.absorption_per_m * far_m
    level += (here.gain_db + _DEVIATIONS * ground.path_db) * LN_PER_DB
    return level >= begins_to_hear(ears, here.id)
