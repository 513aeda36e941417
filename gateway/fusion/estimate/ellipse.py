# SPDX-License-Identifier: MIT
"""Fusion: the ellipse that holds a place in 95 of 100 cases.

The estimator's own covariance is of its model. What the model leaves out (walks that are not
straight, ground that is not even, steps that are not alike) is added here, with the value found on
simulated sites of the training family: see docs/adr/0041-place.md.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gateway.fusion.estimate.motions import Motion
from gateway.fusion.estimate.residuals import LN_PER_DB, STEP_SIGMA
from gateway.model.ellipse import Ellipse
from gateway.model.observation import Covariance
from gateway.model.place.site import Ground, Node

_CHI_SQ_95 = 5.991  # of two dimensions
_MODEL_M = 3.0  # deviation along each axis of what no model of levels explains
_MODEL_ARRIVALS_M = 1.0  # the same where arrival times of steps placed it
_REPORT_S = 5.0  # a peak is of some moment since the report before
_SHARE = 0.95
_MIN_AXIS_M = 0.1
_STEP_M = 1.0
_FAINTEST = 0.5  # of the noise: what is left of a peak that hardly exceeds it
# Gauss's three points for a normal deviate, each with its weight.
_GAUSS_3 = ((-math.sqrt(3), 1 / 6), (0.0, 2 / 3), (math.sqrt(3), 1 / 6))


def of_covariance(error: Covariance, factor: float = 1.0, floor_m: float = 0.0) -> Ellipse:
    """Of a Gaussian place whose variances are `factor` times as large, plus `floor_m` squared."""
    more_m2 = floor_m * floor_m
    xx, yy = factor * error.xx_m2 + more_m2, factor * error.yy_m2 + more_m2
    xy = factor * error.xy_m2
    middle, half = (xx + yy) / 2, math.hypot((xx - yy) / 2, xy)
    bearing_deg = math.degrees(0.5 * math.atan2(2 * xy, yy - xx)) % 180
    major_m, minor_m = (math.sqrt(_CHI_SQ_95 * max(0.0, v)) for v in (middle + half, middle - half))
    return Ellipse(
        max(_MIN_AXIS_M, round(major_m, 1)),
        max(_MIN_AXIS_M, round(minor_m, 1)),
        round(bearing_deg, 1) % 180,
    )


def of_path(error: Covariance, misfit: float, by_arrivals: bool) -> Ellipse:
    """Of a place that a path gives: a path that explains its measurements badly is less sure."""
    floor_m = _MODEL_ARRIVALS_M if by_arrivals else _MODEL_M
    return of_covariance(error, max(1.0, misfit), floor_m)


def circle(radius_m: float) -> Ellipse:
    """The same in all directions."""
    return Ellipse(round(radius_m, 1), round(radius_m, 1), 0.0)


class LonePeak(NamedTuple):
    """The peak of a node that alone reports a target, um/s, over the peak of its own noise. No such
    target is detected from farther than `farthest_m`."""

    node: Node
    peak_um_s: float
    noise_um_s: float
    farthest_m: float


def reach_m(lone: LonePeak, motion: Motion, ground: Ground) -> float:
    """How far from that node the target may be, in 95 of 100 cases: the level of the source, the
    ground and the path to the node are known within their deviations."""
    exponent = ground.exponent if motion.exponent is None else motion.exponent
    absorption = ground.absorption_per_m
    if motion.absorption_per_m is not None:
        absorption = motion.absorption_per_m
    far_m = np.arange(_STEP_M, lone.farthest_m + _STEP_M, _STEP_M)
    loud = (ground.walker_db + motion.louder_db + lone.node.gain_db) * LN_PER_DB
    known_db = math.hypot(ground.walker_sigma_db, motion.sigma_db, ground.path_db)
    sigma = math.hypot(known_db * LN_PER_DB, STEP_SIGMA)
    least = (_FAINTEST * lone.noise_um_s) ** 2
    source_um_s = math.sqrt(max(lone.peak_um_s**2 - lone.noise_um_s**2, least))
    likely = np.zeros(far_m.shape)
    for deviations, weight in _GAUSS_3:
        absorbed = absorption * math.exp(deviations * ground.absorption_sigma) * far_m
        off = (loud - exponent * np.log(far_m) - absorbed - math.log(source_um_s)) / sigma
        likely += weight * np.exp(-0.5 * off * off)
    # Any place is as likely as any other, so a ring counts by its length.
    share = np.cumsum(far_m * likely)
    index = int(np.searchsorted(share, _SHARE * share[-1]))
    return float(far_m[index]) + 0.5 * _REPORT_S * motion.speed_m_s
