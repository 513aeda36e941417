# SPDX-License-Identifier: MIT
"""Fusion: plots of radars, cameras and drones: positions that move a track and support it.

A source may track a bush for hours: what a plot is worth is the source's own confidence, plots of
one source alone never confirm an event, and one that lies off the fitted path counts for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from gateway.fusion.estimate.measurements import Rows
from gateway.fusion.estimate.modes import Path
from gateway.fusion.estimate.positions import Position
from gateway.fusion.evidence.signs import Sign, log_odds
from gateway.fusion.gating import (
    GATE_99,
    GATE_999,
    MAX_SPEED_M_S,
    Predicted,
    agree,
    compatible,
    is_position,
    predicted,
)
from gateway.fusion.kinds.kind import Context, Kind
from gateway.fusion.rules import SPEED_MAX_M_S, Rules
from gateway.model.event import Event
from gateway.model.observation import Plot
from gateway.model.place.site import Site
from gateway.model.target import TargetClass

MIN_PLOTS = 3  # of one source on the track, from which on they count in full
_MAX_AMOUNT = 4.0  # as of nodes: plots of one target are no independent witnesses
_ON_TRACK_M = 1.0  # a walk is not straight to the metre


class PlotKind(Kind[Plot]):
    """A position with its covariance; a velocity and a track number where the source has them."""

    observation = Plot
    joins = True

    def accepts(self, context: Context, given: Plot) -> bool:
        velocity = (given.vx_m_s or 0.0, given.vy_m_s or 0.0)
        return (
            given.at_us <= context.now_us + context.rules.max_ahead_us
            and is_position(given.x_m, given.y_m, given.covariance)
            and 0 <= given.confidence <= 1
            and math.hypot(*velocity) <= MAX_SPEED_M_S
        )

    def span(self, given: Plot) -> tuple[int, int]:
        return given.at_us, given.at_us

    def is_same(self, event: Event, context: Context, given: Plot) -> bool:
        """The source's own track number, unless it was given to another target meanwhile."""
        if not given.track:
            return False
        for one in reversed(event.plots):
            if (one.source, one.track) == (given.source, given.track):
                return _reachable(one, given, context.rules)
        return False

    def gate(self, event: Event, context: Context, given: Plot) -> bool:
        return compatible(event.target, given.target)

    def cost(self, event: Event, context: Context, given: Plot) -> float | None:
        """Minus twice the log-likelihood of the position, without constants."""
        place = predicted(event, given.at_us)
        distance_sq = place.distance_sq(given.x_m, given.y_m, given.covariance)
        return distance_sq + place.spread(given.covariance) if distance_sq <= GATE_999 else None

    def opens(self, context: Context, given: Plot) -> bool:
        """Not one that comes so late that its event would be over."""
        return context.now_us - given.at_us <= context.rules.silence_us

    def start(self, context: Context, given: Plot) -> tuple[float, float, float]:
        return given.x_m, given.y_m, math.sqrt(given.covariance.xx_m2 + given.covariance.yy_m2)

    def merge(self, event: Event, context: Context, given: Plot) -> Event:
        sectors = event.sectors or _sector_of(context.site, given)
        return replace(event, plots=_kept((*event.plots, given), context.rules), sectors=sectors)

    def combine(self, event: Event, other: Event, context: Context) -> Event:
        return replace(event, plots=_kept((*event.plots, *other.plots), context.rules))

    def rows(self, event: Event, context: Context, busy: Collection[str], at_us: int) -> Rows:
        return Rows(positions=tuple(_position(plot, at_us) for plot in event.plots))

    def votes(self, event: Event) -> Mapping[TargetClass, float]:
        """Each source once for each class: a fast one has no more votes."""
        best: dict[tuple[str, TargetClass], float] = {}
        for plot in event.plots:
            key = (plot.source, plot.target)
            best[key] = max(best.get(key, 0.0), plot.confidence)
        found: dict[TargetClass, float] = {}
        for (_source, target), confidence in best.items():
            found[target] = found.get(target, 0.0) + confidence
        return found

    def signs(
        self, event: Event, context: Context, target: TargetClass, path: Path | None
    ) -> Iterable[Sign]:
        on_track = _on_track(event, target, path)
        amounts = {source: _amount(plots) for source, plots in on_track.items()}
        full = [source for source, plots in on_track.items() if len(plots) >= MIN_PLOTS]
        if any(amounts.values()):
            yield Sign("plot", min(sum(amounts.values()), _MAX_AMOUNT))
        for source in full:
            # The number is fixed: one that grew with every plot would be a new reason each time.
            yield Sign("plot", 0.0, f"{source}: {MIN_PLOTS} plots on the track")
        worth = [source for source in full if amounts[source] > 0]
        node_agrees = any(
            agree(one.target, target) and one.confidence >= context.rules.pair_confidence
            for one in event.activities
        )
        if worth and (node_agrees or len(worth) >= 2):
            yield Sign("agree", 1.0, "independent sensors agree on the track")
        if event.plots and not event.activities:
            yield Sign("undetected", 1.0)


def _position(plot: Plot, at_us: int) -> Position:
    error = plot.covariance
    return Position(
        (plot.at_us - at_us) / 1e6,
        plot.x_m,
        plot.y_m,
        error.xx_m2,
        error.yy_m2,
        error.xy_m2,
        plot.vx_m_s,
        plot.vy_m_s,
    )


def _reachable(before: Plot, given: Plot, rules: Rules) -> bool:
    gap_us = abs(given.at_us - before.at_us)
    sigma_m = math.sqrt(
        sum(plot.covariance.xx_m2 + plot.covariance.yy_m2 for plot in (before, given))
    )
    apart_m = math.hypot(given.x_m - before.x_m, given.y_m - before.y_m)
    speed_m_s = max(SPEED_MAX_M_S[before.target], SPEED_MAX_M_S[given.target])
    return gap_us <= rules.silence_us and apart_m <= speed_m_s * gap_us / 1e6 + 3 * sigma_m


def _kept(plots: tuple[Plot, ...], rules: Rules) -> tuple[Plot, ...]:
    """In order of time, each track of each source thinned, the newest."""
    last: dict[tuple[str, str], int] = {}
    found: list[Plot] = []
    for plot in sorted(set(plots), key=lambda one: (one.at_us, one.source, one.track, one.x_m)):
        key = (plot.source, plot.track)
        before_us = last.get(key)
        if before_us is None or plot.at_us - before_us >= rules.plot_every_us:
            last[key] = plot.at_us
            found.append(plot)
    return tuple(found[-rules.max_plots :])


def _on_track(event: Event, target: TargetClass, path: Path | None) -> dict[str, list[Plot]]:
    """By source: plots that lie on the path and whose class supports the event's."""
    found: dict[str, list[Plot]] = {}
    if path is None:
        return found
    for plot in event.plots:
        t_s = (plot.at_us - event.last_us) / 1e6
        place = Predicted(
            path.x_m + path.vx_m_s * t_s,
            path.y_m + path.vy_m_s * t_s,
            _ON_TRACK_M**2 + 0.5 * path.error_m**2,
        )
        is_near = place.distance_sq(plot.x_m, plot.y_m, plot.covariance) <= GATE_99
        if is_near and agree(plot.target, target):
            found.setdefault(plot.source, []).append(plot)
    return found


def _amount(plots: list[Plot]) -> float:
    """Log-odds of the source's mean confidence, in full from MIN_PLOTS on."""
    mean = sum(plot.confidence for plot in plots) / len(plots)
    return max(0.0, log_odds(mean)) * min(1.0, len(plots) / MIN_PLOTS)


def _sector_of(site: Site, plot: Plot) -> tuple[str, ...]:
    """That of the nearest node: an event without a sector could not be armed or masked."""
    nodes = site.nodes.values()
    if not nodes:
        return ()
    nearest = min(nodes, key=lambda node: math.hypot(node.x_m - plot.x_m, node.y_m - plot.y_m))
    return (nearest.sector,)
