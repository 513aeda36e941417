# SPDX-License-Identifier: MIT
"""Fusion: nodes that detect something one after the other, as something that moves makes them do.

It needs no class. Times of onset or times of peaks must fit one straight passage at 0.3 to 40 m/s
far better than the same moment everywhere, and last as long as such a passage does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.fusion.evidence.fronts import Front, fast_front, moving_front
from gateway.fusion.evidence.passages import Passage
from gateway.model.place.site import Site

MIN_M_S, MAX_M_S = 0.3, 40.0
WAVE_M_S = 60.0  # faster than anything that moves on the ground
ONSET_S = 0.7  # an onset's deviation: a hop of half a second, and where a level crosses its limit
_ONSET_M, _PEAK_M = 8.0, 4.0  # and where along the passage it is: losses of paths differ
_MIN_PEAK_S = 0.7
_NODES = 3
_BETTER = 9.0  # twice the log-likelihood over "at once": by chance once in 400
_MISFIT = 3.0
_SPARE = 5  # from so many nodes on, one may be left out: it detected something else
_AUDIBLE_M = 10.0  # something that moves is detected over at least so much of its way
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MOVES = ": something moves"  # how each of these reasons ends
_SPEEDS = (0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 40.0)


@dataclass(frozen=True, slots=True)
class Order:
    """Nodes in order, and the speed at which something passed them."""

    nodes: int
    speed_m_s: float

    @property
    def reason(self) -> str:
        """In words; the speed is rounded to a few steps, so that it seldom changes."""
        count = _WORDS[self.nodes] if self.nodes < len(_WORDS) else str(self.nodes)
        speed = min(_SPEEDS, key=lambda one: abs(math.log(one / self.speed_m_s)))
        return f"{count} nodes in order at {speed:g} m/s{MOVES}"


def in_order(
    site: Site,
    given: Sequence[Passage],
    max_m_s: float = MAX_M_S,
    pir: bool = False,
    worth: Mapping[str, float] | None = None,
) -> Order | None:
    """The order, or None. With a PIR two nodes are enough. `worth` is what each node counts of one:
    less for one that often reports what no other node confirms."""
    needed = 2 if pir else _NODES
    counts = worth or {}
    if len(given) < needed or sum(counts.get(one.node, 1.0) for one in given) < needed:
        return None
    found = [
        order
        for time_s, sigma_s, place_m, other_s in (
            (_onset_s, _onset_sigma_s, _ONSET_M, _peak_s),
            (_peak_s, _peak_sigma_s, _PEAK_M, _onset_s),
        )
        if (order := _ordered(site, given, time_s, sigma_s, place_m, other_s, max_m_s)) is not None
    ]
    best = max(found, key=lambda one: (one.nodes, one.speed_m_s), default=None)
    return best if best is not None and best.nodes >= needed else None


_Time = Callable[[Passage], float]


def _onset_s(one: Passage) -> float:
    return one.onset_us / 1e6


def _onset_sigma_s(_one: Passage) -> float:
    return ONSET_S


def _peak_s(one: Passage) -> float:
    return one.peak_us / 1e6


def _peak_sigma_s(one: Passage) -> float:
    return max(_MIN_PEAK_S, one.peak_width_s / math.sqrt(12))


def _ordered(
    site: Site,
    given: Sequence[Passage],
    time_s: _Time,
    sigma_s: _Time,
    place_m: float,
    other_s: _Time,
    max_m_s: float,
) -> Order | None:
    front = _moving(site, given, time_s, sigma_s, place_m)
    if front.misfit is not None and front.misfit > _MISFIT and len(given) >= _SPARE:
        worst = max(range(len(given)), key=lambda index: abs(front.residuals[index]))
        given = [one for index, one in enumerate(given) if index != worst]
        front = _moving(site, given, time_s, sigma_s, place_m)
    if front.misfit is not None and front.misfit > _MISFIT:
        return None
    if not MIN_M_S <= front.speed_m_s <= max_m_s:
        return None
    if _cost_at_once(site, given, time_s, sigma_s) - front.cost < _BETTER:
        return None
    if _contradicts(site, given, front, other_s) or not _lasts(given, front.speed_m_s):
        return None
    return Order(len(given), front.speed_m_s)


def _moving(
    site: Site, given: Sequence[Passage], time_s: _Time, sigma_s: _Time, place_m: float
) -> Front:
    return moving_front(places(site, given), *_times(given, time_s, sigma_s), place_m)


def _cost_at_once(site: Site, given: Sequence[Passage], time_s: _Time, sigma_s: _Time) -> float:
    return fast_front(places(site, given), *_times(given, time_s, sigma_s), WAVE_M_S).cost


def _times(
    given: Sequence[Passage], time_s: _Time, sigma_s: _Time
) -> tuple[list[float], list[float]]:
    start_s = time_s(given[0])
    return [time_s(one) - start_s for one in given], [sigma_s(one) for one in given]


def places(site: Site, given: Sequence[Passage]) -> list[tuple[float, float]]:
    """Of the nodes, metres."""
    return [(site.nodes[one.node].x_m, site.nodes[one.node].y_m) for one in given]


def _contradicts(site: Site, given: Sequence[Passage], front: Front, other_s: _Time) -> bool:
    """Whether the other measure of time has the opposite order, and clearly."""
    sigma = [1.5] * len(given)
    times = _times(given, other_s, lambda _one: 1.5)[0]
    other = moving_front(places(site, given), times, sigma, _ONSET_M)
    still = fast_front(places(site, given), times, sigma, WAVE_M_S)
    opposite = sum(a * b for a, b in zip(front.slowness, other.slowness, strict=True)) < 0
    return opposite and still.cost - other.cost >= _BETTER


def _lasts(given: Sequence[Passage], speed_m_s: float) -> bool:
    """Whether two nodes detected it for as long as it takes to pass at that speed."""
    needed_s = _AUDIBLE_M / speed_m_s
    return sum(one.lasted_s >= needed_s for one in given) >= 2
