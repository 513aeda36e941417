# SPDX-License-Identifier: MIT
"""Fusion: the straight walk that best explains the levels each node measured, and when.

One estimator for a line and for an area. Its state is that of the constant-velocity Kalman filter,
place and velocity, with the class's process noise as fading memory. It measures peaks over time: a
node's rise and fall show when it was passed (the ordered closest approaches), the levels of several
show where (energy localisation), silent nodes show where not. Positions of other sensors are rows
among them. All are fitted at once by damped Gauss-Newton from the best of a fan of guesses: so the
order in which they came cannot matter, and a mirror image that explains them as well is found. See
docs/adr/0014-tracking.md.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from gateway.fusion.estimate.arrivals import Arrivals
from gateway.fusion.estimate.measurements import Measurements
from gateway.fusion.estimate.modes import Path, distinct, summary
from gateway.fusion.estimate.motions import Motion
from gateway.fusion.estimate.positions import FArray
from gateway.fusion.estimate.residuals import Normal, Residuals
from gateway.fusion.estimate.sharpen import sharpened
from gateway.model.place.site import Ground

_ROUNDS = 8
_REFINED = 12
_LOUDEST = 3  # nodes about which guesses are made
_MIN_GAIN = 0.05  # of the cost, where 1 is one deviation
_PRUNED_AFTER = (2, 4)  # rounds
_HOPELESS = 40.0  # of the cost over the best
_NARROWED = 0.75  # of the place's error: then arrivals are what placed it
_FAN = np.deg2rad(np.arange(0.0, 360.0, 45.0))
_OFFSETS_M = (0.0, 7.0, 18.0)
_APART_M = 8.0  # guesses nearer than this end in one place
_APART_S = 10.0  # and so do velocities that lead no further apart in so long


def fit(
    given: Measurements, motion: Motion, ground: Ground, arrivals: Arrivals | None = None
) -> Path | None:
    """The path, or None when no peak and no position is known. Misfit and cost are without the
    arrivals."""
    if not given.peaks and not given.positions:
        return None
    residuals = Residuals(given, motion, ground)
    with np.errstate(over="ignore", invalid="ignore"):  # a step too far: its cost is not less
        paths, now = _refined(residuals)
    misfit = float(now.cost.min()) / (given.peaks + len(given.positions))
    found = summary(paths, now, misfit)
    if arrivals is None:
        return found
    sharp = summary(*sharpened(paths, now, arrivals, motion, ground), misfit)
    narrowed = sharp.error_m <= _NARROWED * found.error_m
    return replace(sharp, cost=found.cost, by_arrivals=narrowed)


def _refined(residuals: Residuals) -> tuple[FArray, Normal]:
    """(paths (k, 6), their equations), after damped Gauss-Newton from the guesses."""
    paths = _guesses(residuals)
    own = np.zeros((len(paths), len(residuals.given.nodes_m)))
    now = residuals.normal(paths, own)
    damping = np.full(len(paths), 1e-2)
    for turn in range(_ROUNDS):
        tried, tried_own = _step(paths, own, now, damping)
        there = residuals.normal(tried, tried_own)
        good = there.cost < now.cost
        gained = float(np.max(np.where(good, now.cost - there.cost, 0.0)))
        for new, old in zip((tried, tried_own, *there), (paths, own, *now), strict=True):
            np.copyto(old, new, where=good.reshape(-1, *[1] * (new.ndim - 1)))
        if gained < _MIN_GAIN:
            break
        damping = np.where(good, damping * 0.2, damping * 8)
        if turn + 1 in _PRUNED_AFTER:
            # Those that fell into one mode, and those that no later round can save.
            kept = distinct(paths, now, _HOPELESS)
            paths, own, damping = paths[kept], own[kept], damping[kept]
            now = Normal(*(part[kept] for part in now))
    return paths, now


def _step(paths: FArray, own: FArray, now: Normal, damping: FArray) -> tuple[FArray, FArray]:
    curve = now.curve.copy()
    np.einsum("kii->ki", curve)[:] *= 1 + damping[:, None]
    change = -np.linalg.solve(curve, now.slope[:, :, None])
    mixed = (now.mixed.transpose(0, 2, 1) @ change)[:, :, 0]
    return paths + change[:, :, 0], own - (now.own_slope + mixed) / now.own_curve


def _guesses(residuals: Residuals) -> FArray:
    """The likeliest of fans of paths about the nodes with the loudest reports, (k, 6), none alike.

    About several, for the loudest report of all may be of a knock, or of a path that lost little:
    then the walk would not be among the guesses, and the next best would be taken as sure.
    """
    fans = [_fan_at(residuals, row) for row in _loudest(residuals)]
    if residuals.positions is not None:
        motion = residuals.motion
        fans.append(residuals.positions.guesses(motion.speed_m_s, motion.sigma_m_s))
    fan = np.concatenate(fans)
    cost, level = residuals.rough_cost(fan)
    kept = _different(fan * (1, 1, _APART_S, _APART_S), cost, _APART_M, _REFINED)
    return np.column_stack([fan[kept], level[kept], np.zeros(len(kept))])


def _different(points: FArray, cost: FArray, apart: float, most: int) -> list[int]:
    """Indices of the cheapest points of which no two are within `apart` along all axes."""
    left = np.array(cost)
    axes = np.ascontiguousarray(points.T)
    kept: list[int] = []
    while len(kept) < most:
        index = int(left.argmin())
        if not left[index] < np.inf:
            break
        kept.append(index)
        off = np.abs(axes - axes[:, index, None])
        left[off.max(axis=0) <= apart] = np.inf
    return kept


def _loudest(residuals: Residuals) -> list[int]:
    """The loudest report of each of the loudest nodes."""
    given = residuals.given
    rows: dict[int, int] = {}
    for row in np.argsort((residuals.gain - given.limit)[: given.peaks], kind="stable"):
        rows.setdefault(int(given.who[row]), int(row))
    return list(rows.values())[:_LOUDEST]


def _fan_at(residuals: Residuals, row: int) -> FArray:
    given = residuals.given
    fan = _FAN_OF_PATHS.copy()
    fan[:, 2:] *= residuals.motion.speed_m_s
    fan[:, :2] += given.nodes_m[given.who[row]]
    fan[:, :2] -= fan[:, 2:] * 0.5 * (given.since_s[row] + given.until_s[row])
    return fan


def _fan() -> FArray:
    courses = [(math.sin(course), math.cos(course)) for course in _FAN]
    places = [(0.0, 0.0)] + [
        (away * math.sin(side), away * math.cos(side)) for away in _OFFSETS_M[1:] for side in _FAN
    ]
    return np.array([(*place, *course) for place in places for course in courses])


_FAN_OF_PATHS = _fan()  # place beside the loudest node, velocity of 1 m/s
