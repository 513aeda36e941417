# SPDX-License-Identifier: MIT
"""Fusion: paths narrowed by the arrival times of footfalls.

Two nodes' times of a step put it on a hyperbola, three on a point. A step of one node may be any of
a few of another's, or of none: a mixture with a floor, so that a wrong pair pulls at nothing. What
levels leave open is a Gaussian about each path; from there expectation and maximisation take turns
(Dempster, Laird and Rubin 1977), the arrivals blurred at first as far as the place is unsure and
then less and less, so that no path is caught by the wrong step. The wave's speed is an unknown too.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gateway.fusion.estimate.arrivals import Arrivals
from gateway.fusion.estimate.motions import Motion
from gateway.fusion.estimate.positions import FArray
from gateway.fusion.estimate.residuals import UNKNOWNS, Normal
from gateway.model.place.site import Ground

_ROUNDS = 8
_CLEAR = 5  # of them with less and less blur, the others with none
_BLUR_S = (0.005, 0.12)
_PAIRED = 0.7  # of steps that have a partner in reach, those that have the right one
_EVERY_S = 0.5  # a wrong partner is anywhere between two steps
_FLOOR = (1 - _PAIRED) / _EVERY_S
_MIN_LIKELY = 2.0  # ln of how much likelier than chance, or arrivals are not of one who walks here
_NEAREST_M = 1.0
_MAX_SPEED_SIGMAS = 3.0  # of the wave speed
_WAVE = UNKNOWNS  # its ln, the unknown after those of a path


class Equations(NamedTuple):
    """Of k paths: ln of how much likelier the arrivals are than by chance, Hessian and gradient of
    minus that."""

    likely: FArray  # (k,)
    curve: FArray  # (k, 7, 7)
    slope: FArray  # (k, 7)


def sharpened(
    paths: FArray, normal: Normal, rows: Arrivals, motion: Motion, ground: Ground
) -> tuple[FArray, Normal]:
    """(paths (k, 6), their equations) with the arrivals in them, or as they were when no path
    explains the arrivals."""
    prior = np.zeros((len(paths), _WAVE + 1, _WAVE + 1))
    prior[:, :_WAVE, :_WAVE] = normal.curve
    prior[:, _WAVE, _WAVE] = ground.wave_sigma**-2
    start = np.column_stack([paths, np.zeros(len(paths))])
    # What does not walk straight was elsewhere then.
    strayed_m = 0.5 * motion.accel_m_s2 * rows.at_s**2
    sigma = np.hypot(rows.sigma_s, strayed_m / ground.wave_m_s)
    spread = np.linalg.inv(normal.curve)
    unsure_m = np.sqrt(spread[:, 0, 0] + spread[:, 1, 1])
    blur = np.clip(unsure_m / ground.wave_m_s, *_BLUR_S)[:, None]
    now = start.copy()
    for turn in range(_ROUNDS):
        left = max(0.0, 1 - turn / _CLEAR)
        there = _equations(now, rows, np.hypot(sigma, blur * left), ground)
        slope = there.slope + (prior @ (now - start)[:, :, None])[:, :, 0]
        now = now - np.linalg.solve(prior + there.curve, slope[:, :, None])[:, :, 0]
        most = _MAX_SPEED_SIGMAS * ground.wave_sigma
        now[:, _WAVE] = np.clip(now[:, _WAVE], -most, most)
    there = _equations(now, rows, sigma[None, :], ground)
    if float(there.likely.max()) < _MIN_LIKELY:
        return paths, normal
    off = now - start
    cost = normal.cost + np.einsum("ki,kij,kj->k", off, prior, off) - 2 * there.likely
    # The wave's speed is a nuisance unknown (Schur's complement).
    whole = prior + there.curve
    mixed = whole[:, :_WAVE, _WAVE, None]
    curve = whole[:, :_WAVE, :_WAVE] - mixed @ mixed.transpose(0, 2, 1) / whole[:, -1:, -1:]
    return now[:, :_WAVE], normal._replace(cost=cost, curve=curve)


def _equations(now: FArray, rows: Arrivals, sigma: FArray, ground: Ground) -> Equations:
    """At paths with the wave's speed (k, 7), arrivals known within sigma (k or 1, rows)."""
    speed = ground.wave_m_s * np.exp(now[:, _WAVE, None])
    x_m = now[:, 0, None] + now[:, 2, None] * rows.at_s
    y_m = now[:, 1, None] + now[:, 3, None] * rows.at_s
    ax, ay = x_m - rows.a_m[:, 0], y_m - rows.a_m[:, 1]
    bx, by = x_m - rows.b_m[:, 0], y_m - rows.b_m[:, 1]
    far_a = np.sqrt(ax * ax + ay * ay + _NEAREST_M**2)
    far_b = np.sqrt(bx * bx + by * by + _NEAREST_M**2)
    lead = (far_b - far_a) / speed
    off = (lead - rows.lead_s) / sigma
    density = _PAIRED * np.exp(-0.5 * off * off) / (sigma * math.sqrt(2 * math.pi))
    hit = _FLOOR + np.add.reduceat(density, rows.firsts, axis=1)
    sizes = np.diff(rows.firsts, append=len(rows.at_s))
    share = density * np.repeat(rows.weight / hit, sizes, axis=1)
    jac = np.empty((len(now), _WAVE + 1, len(rows.at_s)))
    jac[:, 0] = (bx / far_b - ax / far_a) / speed
    jac[:, 1] = (by / far_b - ay / far_a) / speed
    jac[:, 2], jac[:, 3] = jac[:, 0] * rows.at_s, jac[:, 1] * rows.at_s
    jac[:, 4:_WAVE] = 0.0
    jac[:, _WAVE] = -lead
    jac /= sigma[:, None, :]
    pull = jac * share[:, None, :]
    return Equations(
        np.log(hit * _EVERY_S) @ rows.weight,
        pull @ jac.transpose(0, 2, 1),
        (pull @ off[:, :, None])[:, :, 0],
    )
