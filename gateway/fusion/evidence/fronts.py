# SPDX-License-Identifier: MIT
"""Fusion: a straight front that reaches nodes one after the other: least squares of its slowness.

Something that moves straight passes its nearest points to the nodes as a front does that moves with
its velocity, and so does a wave. They differ in speed: nothing on the ground exceeds 40 m/s, and
no wave in ground or air is slower than 100 m/s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FArray = NDArray[np.float64]
_MIN_SPREAD_M = 8.0  # deviation across a line of nodes below which it has no width
_MIN_SHARE = 0.25  # of that along it: else times show little of what is across
_ANGLES = np.arange(16) * (math.pi / 8)


@dataclass(frozen=True, slots=True)
class Front:
    """`slowness` in s/m, east and north; `cost`: squared residuals over their variances, and what
    the variances themselves cost; `misfit`: the first of both by degrees of freedom, None without
    any. `residuals` in seconds."""

    slowness: tuple[float, float]
    cost: float
    misfit: float | None
    residuals: tuple[float, ...]

    @property
    def speed_m_s(self) -> float:
        """Infinite for one that is everywhere at once."""
        slow = math.hypot(*self.slowness)
        return 1 / slow if slow > 0 else math.inf


def moving_front(
    places: Sequence[tuple[float, float]],
    times_s: Sequence[float],
    sigmas_s: Sequence[float],
    place_m: float,
) -> Front:
    """The best front of any speed. `place_m` is how far from a node's nearest point the time that
    it reports is taken: the slower the front, the less exact the times."""
    xy, t, sigma = (np.asarray(given, np.float64) for given in (places, times_s, sigmas_s))
    wide = sigma
    slowness = np.zeros(2)
    rank = 0
    for _ in range(3):
        slowness, rank = _slowness(xy, t, wide)
        wide = np.hypot(sigma, place_m * math.hypot(*slowness))
    return _front(xy, t, wide, slowness, rank)


def fast_front(
    places: Sequence[tuple[float, float]],
    times_s: Sequence[float],
    sigmas_s: Sequence[float],
    min_m_s: float,
) -> Front:
    """The best front that is at least so fast."""
    xy, t, sigma = (np.asarray(given, np.float64) for given in (places, times_s, sigmas_s))
    slowness, rank = _slowness(xy, t, sigma)
    if math.hypot(*slowness) <= 1 / min_m_s:
        return _front(xy, t, sigma, slowness, rank)
    ring = [np.array([math.cos(a), math.sin(a)]) / min_m_s for a in _ANGLES]
    fronts = [_front(xy, t, sigma, one, 0) for one in (np.zeros(2), *ring)]
    return min(fronts, key=lambda one: one.cost)


def _slowness(xy: FArray, t: FArray, sigma: FArray) -> tuple[FArray, int]:
    """By weighted least squares; along the line only where the nodes have no width across it."""
    weight = 1 / sigma**2
    share = weight / weight.sum()
    off, late = xy - share @ xy, t - share @ t
    _, spread, axes = np.linalg.svd(off * np.sqrt(share)[:, None], full_matrices=False)
    found, rank = np.zeros(2), 0
    for size, axis in zip(spread, axes, strict=True):
        if size >= max(_MIN_SPREAD_M, _MIN_SHARE * spread[0]):
            along = off @ axis
            found = found + axis * float((share * along) @ late / ((share * along) @ along))
            rank += 1
    return found, rank


def _front(xy: FArray, t: FArray, sigma: FArray, slowness: FArray, rank: int) -> Front:
    left = t - xy @ slowness
    weight = 1 / sigma**2
    left = left - float(weight @ left / weight.sum())
    squares = float(weight @ left**2)
    freedom = len(t) - 1 - rank
    return Front(
        (float(slowness[0]), float(slowness[1])),
        squares + 2 * float(np.log(sigma).sum()),
        squares / freedom if freedom > 0 else None,
        tuple(float(one) for one in left),
    )
