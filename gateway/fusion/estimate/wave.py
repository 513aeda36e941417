# SPDX-License-Identifier: MIT
"""Fusion: how fast the wave of a step runs, from a walk whose path is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

MIN_LEADS = 40
_SPEEDS = np.exp(np.linspace(math.log(60.0), math.log(1000.0), 400))
_PICK_S = 0.012
_FLOOR = 1.0  # of the density: pairs of two steps are anywhere
_PAIRED = 0.7
_TOGETHER = 8  # steps of one pass share their paths: so many count as one
_MIN_SIGMA = 0.05  # ln: it is not the same everywhere, nor in every season


class Lead(NamedTuple):
    """A step came to one node `lead_s` sooner than to another that is `more_m` further off, if both
    detected the same one."""

    more_m: float
    lead_s: float


def wave_of(leads: Sequence[Lead]) -> tuple[float, float] | None:
    """(m/s, deviation of its ln), or None where too few differ enough in distance."""
    table = np.array([one for one in leads if abs(one.more_m) >= 3.0]).reshape(-1, 2)
    if len(table) < MIN_LEADS:
        return None
    off = (table[:, :1] / _SPEEDS - table[:, 1:]) / _PICK_S
    density = np.exp(-0.5 * off * off) / (_PICK_S * math.sqrt(2 * math.pi))
    likely = np.log(_FLOOR * (1 - _PAIRED) + _PAIRED * density).sum(axis=0) / _TOGETHER
    weight = np.exp(likely - likely.max())
    weight /= weight.sum()
    logs = np.log(_SPEEDS)
    middle = float(weight @ logs)
    sigma = math.sqrt(float(weight @ (logs - middle) ** 2))
    return math.exp(middle), max(_MIN_SIGMA, sigma)
