# SPDX-License-Identifier: MIT
"""Fusion: place, speed and direction when several paths explain the measurements.

Each mode is weighed by how likely its best path is. A straight line of nodes measures the same of a
walker on either side: then the place is between the two, the speed is known, the direction is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gateway.fusion.estimate.positions import FArray
from gateway.fusion.estimate.residuals import Normal
from gateway.model.observation import Covariance

_SAME = 4.0  # deviations squared: guesses that end nearer than this are in one mode
_SIDE = math.radians(45.0)
_SIDE_SURE = 0.98  # a direction is stated when it is right within 45 degrees so likely
_HOLDS = 1.25  # and when a walk explains the measurements: mean cost of one
_SPEED_SURE = 0.25  # a speed, when its deviation is at most this share of it


@dataclass(frozen=True, slots=True)
class Path:
    """Where it was at second 0 and how it moved; direction or speed None where they are not
    known. `vx_m_s`, `vy_m_s` and `source_level` are of the most likely mode; `error_m` holds it in
    2 of 3 cases, `covariance` is that of all modes together; `misfit` is the mean `cost` of a
    measurement, at most about 1 when the model holds."""

    x_m: float
    y_m: float
    vx_m_s: float
    vy_m_s: float
    error_m: float
    covariance: Covariance
    source_level: float
    direction_deg: float | None
    speed_m_s: float | None
    misfit: float
    cost: float
    by_arrivals: bool = False  # they narrowed the place


def summary(paths: FArray, normal: Normal, misfit: float) -> Path:
    """Of refined paths (k, 6) with their equations; `misfit` is how badly the levels fit them."""
    keep = distinct(paths, normal)
    paths, curve, cost = paths[keep], normal.curve[keep], normal.cost[keep]
    # Half the cost: costs are sums of squares. Not how wide a mode is besides (Laplace): where
    # reports are few, losses that bound their pull and silences that are kept make it far wider
    # than it is, and such modes would outweigh what was measured well.
    weight = np.exp(-0.5 * (cost - cost.min()))
    weight = np.asarray(weight / weight.sum())
    spread = np.asarray(np.linalg.inv(curve), np.float64)
    x_m, y_m = float(weight @ paths[:, 0]), float(weight @ paths[:, 1])
    off = paths[:, :2] - (x_m, y_m)
    spreads = off[:, :, None] * off[:, None, :] + spread[:, :2, :2]
    (xx_m2, xy_m2), (_, yy_m2) = np.tensordot(weight, spreads, axes=1).tolist()
    best = paths[int(np.argmax(weight))]
    return Path(
        x_m=x_m,
        y_m=y_m,
        vx_m_s=float(best[2]),
        vy_m_s=float(best[3]),
        error_m=math.sqrt(max(xx_m2 + yy_m2, 0.0)),
        covariance=Covariance(xx_m2, yy_m2, xy_m2),
        source_level=float(best[4]),
        direction_deg=_direction(paths, spread, weight) if misfit <= _HOLDS else None,
        speed_m_s=_speed(paths, spread, weight),
        misfit=misfit,
        cost=float(cost.min()),
    )


def distinct(paths: FArray, normal: Normal, within: float = math.inf) -> list[int]:
    """The best of each mode, best first, of those whose cost is `within` so much of the best:
    counted twice, a flat mode would outweigh a sharp one."""
    off = paths[:, None, :] - paths[None, :, :]
    apart = ((off @ normal.curve) * off).sum(axis=2)  # by the curve of the first of each pair
    alike = np.minimum(apart, apart.T) <= _SAME
    cost = normal.cost.tolist()
    worst = min(cost) + within
    kept: list[int] = []
    for index in np.argsort(normal.cost, kind="stable").tolist():
        if cost[index] <= worst and not alike[index, kept].any():
            kept.append(index)
    return kept


def _speed(paths: FArray, spread: FArray, weight: FArray) -> float | None:
    speeds = np.maximum(np.hypot(paths[:, 2], paths[:, 3]), 1e-6)
    along = paths[:, 2:4] / speeds[:, None]
    variance = np.einsum("ki,kij,kj->k", along, spread[:, 2:4, 2:4], along)
    speed = float(weight @ speeds)
    deviation = math.sqrt(max(0.0, float(weight @ ((speeds - speed) ** 2 + variance))))
    return speed if deviation <= _SPEED_SURE * speed else None


def _direction(paths: FArray, spread: FArray, weight: FArray) -> float | None:
    speeds = np.maximum(np.hypot(paths[:, 2], paths[:, 3]), 1e-6)
    across = np.stack([-paths[:, 3], paths[:, 2]], axis=1) / speeds[:, None]
    variance = np.einsum("ki,kij,kj->k", across, spread[:, 2:4, 2:4], across)
    headings = np.arctan2(paths[:, 2], paths[:, 3])
    best = headings[int(np.argmax(weight))]
    right = 0.0
    for heading, sigma, share in zip(
        headings, np.sqrt(np.maximum(variance, 1e-12)) / speeds, weight, strict=True
    ):
        off = abs((heading - best + math.pi) % (2 * math.pi) - math.pi)
        scale = max(sigma, 1e-6) * math.sqrt(2)
        right += share * 0.5 * (math.erf((_SIDE - off) / scale) + math.erf((_SIDE + off) / scale))
    return math.degrees(best) % 360 if right >= _SIDE_SURE else None
