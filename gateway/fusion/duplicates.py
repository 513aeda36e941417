# SPDX-License-Identifier: MIT
"""Fusion: before a second alarm is raised, and of plots alone: is it the target of another event?

Paths through the ground differ by many decibels, so a walker may be detected first by two nodes far
apart, and start two events. The estimator decides whether one walk explains both as well as two do:
the difference of costs is that of log-likelihoods.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from gateway.fusion.gating import GATE_99, busy_elsewhere, compatible, may_be_driven, predicted
from gateway.fusion.kinds.kind import Context
from gateway.fusion.kinds.plot import MIN_PLOTS
from gateway.fusion.kinds.registry import KINDS
from gateway.fusion.rules import Rules
from gateway.fusion.update import path_of
from gateway.model.event import Event
from gateway.model.observation import Covariance
from gateway.model.target import Phase


def is_only_plotted(event: Event) -> bool:
    """Whether enough plots and no node make it: it may be the target of an event that has nodes."""
    return not event.activities and len(event.plots) >= MIN_PLOTS


def find_duplicate(new: Event, context: Context) -> Event | None:
    """The open event whose cause explains this one too, the likeliest, or None."""
    best: tuple[float, Event] | None = None
    events = context.state.events
    for other in events:
        if other.id == new.id or not _may_be_one(new, other, context.rules):
            continue
        if not new.activities and not _may_be_plotted(new, other):
            continue
        cost = _cost_of_one(new, other, context, busy_elsewhere(events, new.id, other.id))
        if cost <= context.rules.one_cause_cost and (best is None or cost < best[0]):
            best = (cost, other)
    return best[1] if best else None


def combine(known: Event, new: Event, context: Context) -> Event:
    """The known event with all that the other one holds, not evaluated."""
    both = replace(
        known,
        first_us=min(known.first_us, new.first_us),
        last_us=max(known.last_us, new.last_us),
        touched_us=max(known.touched_us, new.touched_us),
        late_us=max(known.late_us, new.late_us),
    )
    for kind in KINDS:
        both = kind.combine(both, new, context)
    return both


def _may_be_one(new: Event, other: Event, rules: Rules) -> bool:
    if not compatible(new.target, other.target):
        return False
    over = all(activity.phase is Phase.END for activity in other.activities) and not other.plots
    if new.first_us - other.last_us > (rules.ended_us if over else rules.silence_us):
        return False
    apart_m = math.hypot(new.x_m - other.x_m, new.y_m - other.y_m)
    reach_m = (
        rules.vehicle_reach_m
        if may_be_driven(new.target, other.target)
        else rules.one_cause_reach_m
    )
    return apart_m <= reach_m


def _may_be_plotted(new: Event, other: Event) -> bool:
    """Of plots alone: in the same place, by another source. Two track numbers of one source are two
    targets."""
    sources = {plot.source for plot in new.plots}
    if not other.activities and any(plot.source in sources for plot in other.plots):
        return False
    error = Covariance.of_error(new.error_m)
    distance_sq = predicted(other, new.last_us).distance_sq(new.x_m, new.y_m, error)
    return distance_sq <= GATE_99


def _cost_of_one(new: Event, other: Event, context: Context, busy: Collection[str]) -> float:
    """How much worse one walk is than two; deviations squared. Infinite where it is not known."""
    total = 0.0
    both = combine(other, new, context)
    for sign, event, target in (
        (1, both, other.target),
        (-1, new, new.target),
        (-1, other, other.target),
    ):
        try:
            path = path_of(event, context, target, busy, 1)
        except (ArithmeticError, ValueError, IndexError):
            return math.inf  # two events stay two: no alarm is lost
        total += sign * path.cost if path is not None else 0.0
    return total if math.isfinite(total) else math.inf
