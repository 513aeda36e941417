# SPDX-License-Identifier: MIT
"""The map table: before a second alarm is raised: is it somebody we have already?

Paths through the ground differ by many decibels, so a walker may be heard first by two nodes far
apart, and begin two events. Whether one walk explains both as well as two do is asked of the
estimator itself: the difference of costs is that of log-likelihoods.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from gateway.fusion.ears import Ears
from gateway.fusion.grow import path_of
from gateway.fusion.rules import Rules
from gateway.model.event import Event
from gateway.model.site import Site
from gateway.model.target import Phase, TargetClass


def busy_elsewhere(events: Sequence[Event], *own: str) -> set[str]:
    """Nodes with a running activity in events other than these."""
    return {
        activity.id.node
        for event in events
        if event.id not in own
        for activity in event.activities
        if activity.phase is not Phase.END
    }


def known_already(
    new: Event, events: Sequence[Event], site: Site, ears: Ears, rules: Rules
) -> Event | None:
    """The open event whose cause explains this one too, the likeliest, or None."""
    best: tuple[float, Event] | None = None
    for other in events:
        if other.id == new.id or not _may_be_one(new, other, rules):
            continue
        cost = _cost_of_one(new, other, site, ears, busy_elsewhere(events, new.id, other.id))
        if cost <= rules.one_cause_cost and (best is None or cost < best[0]):
            best = (cost, other)
    return best[1] if best else None


def _may_be_one(new: Event, other: Event, rules: Rules) -> bool:
    if (new.target is TargetClass.VEHICLE) != (other.target is TargetClass.VEHICLE):
        return False
    over = all(activity.phase is Phase.END for activity in other.activities)
    if new.first_us - other.last_us > (rules.ended_us if over else rules.silence_us):
        return False
    apart_m = math.hypot(new.x_m - other.x_m, new.y_m - other.y_m)
    reach_m = (
        rules.vehicle_reach_m if new.target is TargetClass.VEHICLE else rules.one_cause_reach_m
    )
    return apart_m <= reach_m


def _cost_of_one(new: Event, other: Event, site: Site, ears: Ears, busy: Collection[str]) -> float:
    """How much worse one walk is than two; deviations squared."""
    one = path_of(site, ears, (*other.activities, *new.activities), other.target, busy, 1)
    own = path_of(site, ears, new.activities, new.target, busy, 1)
    others = path_of(site, ears, other.activities, other.target, busy, 1)
    return sum((-1 if part is not one else 1) * part.cost for part in (one, own, others) if part)
