# SPDX-License-Identifier: MIT
"""Fusion: evaluation of an event: place, motion, class, confidence, reasons from all it holds."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from gateway.fusion.estimate import ellipse
from gateway.fusion.estimate.measurements import PEAK_OVER_FLOOR, measurements
from gateway.fusion.estimate.modes import Path
from gateway.fusion.estimate.motions import Motion, motion_of
from gateway.fusion.estimate.path import fit
from gateway.fusion.evidence.order import MOVES
from gateway.fusion.evidence.passages import passages
from gateway.fusion.evidence.signs import AGAINST, Sign
from gateway.fusion.evidence.verdict import assess, classify
from gateway.fusion.evidence.wave import MIN_WAVE_NODES
from gateway.fusion.gating import busy_elsewhere
from gateway.fusion.kinds.detection import ONE_NODE_M
from gateway.fusion.kinds.kind import Context
from gateway.fusion.kinds.plot import MIN_PLOTS
from gateway.fusion.kinds.registry import KINDS
from gateway.model.ellipse import Ellipse
from gateway.model.event import Activity, Event, Fix, Track
from gateway.model.place.site import Node
from gateway.model.target import Phase, TargetClass

_GAITS = frozenset({TargetClass.PERSON, TargetClass.GROUP})
_RECENT_US = 10_000_000  # nodes of an event with a report this new give its place
_BEST_FOR_US = 40_000_000  # how long a motion that was known well stands against vaguer ones
_WORSE = 1.2
_DIRECTION_NODES = 3  # two are passed in some order by whatever crosses between them
_FADED = 0.75  # of the loudest report: two deviations of a few steps' peaks
_MIN_SPEED_M_S = 0.3  # slower, and it has no direction: a person who digs or waits
# What the numeric part may raise on numbers that no test thought of: LinAlgError is a ValueError.
_NUMERIC = (ArithmeticError, ValueError, IndexError)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an event's observations show together."""

    path: Path | None
    target: TargetClass
    signs: tuple[Sign, ...]
    problem: str = ""


class _Place(NamedTuple):
    """Metres, with the radius that holds it in 2 of 3 cases and the ellipse that does in 95 %."""

    x_m: float
    y_m: float
    error_m: float
    ellipse: Ellipse | None


def evidence_of(event: Event, context: Context, busy: Collection[str]) -> Evidence:
    """Path, class and signs of an event. If the fit fails, the event is assessed without one."""
    path, problem = None, ""
    try:
        target = event.target if event.evaluated_us is not None else None
        path = path_of(event, context, target, busy)
    except _NUMERIC as error:
        problem = f"no place: {type(error).__name__} in the estimator"
    if path is not None and not _is_finite(path):
        path, problem = None, "no place: the estimator found no finite one"
    target = classify(kind.votes(event) for kind in KINDS)
    signs = tuple(sign for kind in KINDS for sign in kind.signs(event, context, target, path))
    return Evidence(path, target, signs, problem)


def evaluate(event: Event, context: Context) -> Event:
    """The event as all its observations show it now; `problem`: why no place was estimated."""
    for kind in KINDS:
        if kind.recalled and kind.evaluates:
            event = kind.recall(event, context)
    found = evidence_of(event, context, busy_elsewhere(context.state.events, event.id))
    verdict = assess(context.rules, found.target, found.signs)
    place = _place(event, context, found)
    waits = verdict.confirmed and not event.confirmed and may_be_shock(event, context, found)
    new = replace(
        event,
        target=verdict.target,
        confidence=verdict.confidence,
        x_m=round(place.x_m, 1) + 0.0,  # and no -0.0
        y_m=round(place.y_m, 1) + 0.0,
        error_m=round(place.error_m, 1),
        ellipse=place.ellipse,
        track=_track(event.track, found.path, event.last_us, _shows_direction(event)),
        fix=_fix(found.path, event.last_us),
        confirmed=event.confirmed or (verdict.confirmed and not waits),
        corroborated=event.corroborated or verdict.corroborated,
        reasons=_reasons(event.reasons, verdict.reasons, event),
        evaluated_us=context.now_us,
        pending=waits,  # the next tick looks again
        problem=found.problem,
    )
    for kind in KINDS:
        if kind.recalled and not kind.evaluates:
            new = kind.recall(new, context)
    return new


def may_be_shock(event: Event, context: Context, found: Evidence) -> bool:
    """Whether all that is known of it so far may be one shock that other nodes report yet, on a
    site where so many are known to listen that it shows. A PIR or a plot is of no shock, and steps
    that repeat seldom are."""
    if event.plots or any(sign.kind in ("pir", "order") for sign in found.signs):
        return False
    given = passages(event.activities)
    if not given or not all(one.abrupt for one in given):
        return False
    newest_us = max(one.onset_us for one in given)
    rules = context.rules
    settle_us = rules.settle_gait_us if found.target in _GAITS else rules.settle_us
    if not 0 <= context.now_us - newest_us < settle_us:
        return False
    floors = context.state.floors
    listening = (node for node in context.site.nodes if floors.listens(node, event.last_us))
    return sum(1 for _ in islice(listening, MIN_WAVE_NODES)) == MIN_WAVE_NODES


def path_of(
    event: Event,
    context: Context,
    target: TargetClass | None,
    busy: Collection[str],
    min_nodes: int = 2,
) -> Path | None:
    """The path of an event that enough nodes or a plot place; `target` None: the surest class."""
    if len(event.nodes) < min_nodes and not event.plots:
        return None
    at_us = event.last_us
    parts = [kind.rows(event, context, busy, at_us) for kind in KINDS]
    given = measurements(context.site, context.state.floors, parts)
    arrivals = next((part.arrivals for part in parts if part.arrivals is not None), None)
    return fit(given, _motion(event, target), context.site.ground, arrivals)


def _motion(event: Event, target: TargetClass | None) -> Motion:
    if event.activities:
        surest = max(event.activities, key=lambda a: (a.confidence, a.peak_um_s))
        return motion_of(surest.target if target is None else target, surest.cadence_hz)
    best = max(event.plots, key=lambda one: one.confidence).target
    return motion_of(best if target is None else target, 0.0)


def _is_finite(path: Path) -> bool:
    numbers = (path.x_m, path.y_m, path.vx_m_s, path.vy_m_s, path.error_m, path.source_level)
    return all(math.isfinite(number) for number in (*numbers, path.cost))


def _reasons(before: Sequence[str], now: Sequence[str], event: Event) -> tuple[str, ...]:
    """Each once, of whichever node it was stated first, and of an order the latest. Evidence
    against that no longer holds is left out."""
    nodes = set(event.nodes)
    found: dict[str, str] = {}
    for reason in (*before, *now):
        if reason.startswith(AGAINST) and reason not in now:
            continue
        if reason.endswith(MOVES):
            found[MOVES] = reason
            continue
        who, _, what = reason.partition(" ")
        found.setdefault(what if who.rstrip(":") in nodes else reason, reason)
    return tuple(found.values())


def _shows_direction(event: Event) -> bool:
    """Whether three nodes detected it and it fades at one of them, or plots follow it. Of two
    nodes, or as long as it grows louder at all of them, chance in the losses of their paths
    decides the direction more than the walk does."""
    if len(event.plots) >= MIN_PLOTS:
        return True
    return len(event.nodes) >= _DIRECTION_NODES and any(
        activity.phase is Phase.END
        or (activity.levels and activity.levels[-1].peak_um_s < _FADED * _loudest(activity))
        for activity in event.activities
    )


def _loudest(activity: Activity) -> float:
    return max(level.peak_um_s for level in activity.levels)


def _track(before: Track | None, path: Path | None, at_us: int, directed: bool) -> Track | None:
    """The best known motion of late: a target that leaves is measured worse and worse."""
    if path is None or path.speed_m_s is None or path.speed_m_s < _MIN_SPEED_M_S:
        return before
    direction = path.direction_deg if directed else None
    if before is not None and at_us - before.at_us <= _BEST_FOR_US:
        less_known = direction is None and before.direction_deg is not None
        if less_known or path.error_m > _WORSE * before.error_m:
            return before
    return Track(
        None if direction is None else round(direction, 1),
        round(path.speed_m_s, 2),
        at_us,
        round(path.error_m, 2),
    )


def _fix(path: Path | None, at_us: int) -> Fix | None:
    if path is None:
        return None
    return Fix(
        at_us=at_us,
        x_m=round(path.x_m, 2),
        y_m=round(path.y_m, 2),
        vx_m_s=round(path.vx_m_s, 3),
        vy_m_s=round(path.vy_m_s, 3),
        error_m=round(path.error_m, 2),
        source_level=round(path.source_level, 3),
    )


def _place(event: Event, context: Context, found: Evidence) -> _Place:
    """Of the path; else of the newest plot; else the middle, by level, of the nodes with recent
    reports; else unchanged."""
    path = found.path
    if path is not None:
        around = ellipse.of_path(path.covariance, path.misfit, path.by_arrivals)
        return _Place(path.x_m, path.y_m, path.error_m, around)
    recent = [a for a in event.activities if event.last_us - a.report_us <= _RECENT_US]
    if event.plots:
        plot = event.plots[-1]
        error_m = math.sqrt(plot.covariance.xx_m2 + plot.covariance.yy_m2)
        return _Place(plot.x_m, plot.y_m, error_m, ellipse.of_covariance(plot.covariance))
    if not recent:
        return _Place(event.x_m, event.y_m, event.error_m, event.ellipse)
    weights = [max(activity.peak_um_s, 0.01) for activity in recent]
    nodes = [context.site.nodes[activity.id.node] for activity in recent]
    total = sum(weights)
    x_m = sum(w * node.x_m for w, node in zip(weights, nodes, strict=True)) / total
    y_m = sum(w * node.y_m for w, node in zip(weights, nodes, strict=True)) / total
    motion = _motion(event, found.target)
    reach_m = max(
        math.hypot(node.x_m - x_m, node.y_m - y_m) + _reach_m(one, node, motion, context)
        for one, node in zip(recent, nodes, strict=True)
    )
    return _Place(x_m, y_m, ONE_NODE_M, ellipse.circle(reach_m))


def _reach_m(activity: Activity, node: Node, motion: Motion, context: Context) -> float:
    rules = context.rules
    driven = activity.target in (TargetClass.VEHICLE, TargetClass.UNKNOWN)
    lone = ellipse.LonePeak(
        node,
        activity.peak_um_s,
        PEAK_OVER_FLOOR * context.state.floors.floor_um_s(node.id),
        rules.vehicle_reach_m if driven else rules.reach_m,
    )
    return ellipse.reach_m(lone, motion, context.site.ground)
