# SPDX-License-Identifier: MIT
"""Measured performance: exact confidence intervals for shares and for rates."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gateway.performance.quantiles import beta_quantile, gamma_quantile

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A measured value between its bounds; `value` is NaN where nothing was measured."""

    value: float
    low: float
    high: float


def share(hits: int, trials: int, confidence: float = CONFIDENCE, sides: int = 2) -> Interval:
    """Clopper and Pearson's exact interval of a probability (Biometrika 26:404, 1934).

    sides: 2, or 1 for bounds that each hold with `confidence` alone.
    Raises ValueError for hits outside 0..trials.
    """
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} hits of {trials}")
    if trials == 0:
        return Interval(math.nan, 0.0, 1.0)
    tail = (1 - confidence) / sides
    low = beta_quantile(hits, trials - hits + 1, tail) if hits else 0.0
    high = beta_quantile(hits + 1, trials - hits, 1 - tail) if hits < trials else 1.0
    return Interval(hits / trials, low, high)


def rate(events: int, exposure: float, confidence: float = CONFIDENCE, sides: int = 2) -> Interval:
    """Exact interval of a Poisson rate per unit of `exposure` (Garwood, Biometrika 28:437, 1936).

    Raises ValueError for negative numbers. Events that come in bursts (a storm) are fewer than they
    look: then the interval is too narrow.
    """
    if events < 0 or exposure < 0:
        raise ValueError(f"{events} events in {exposure}")
    if exposure == 0:
        return Interval(math.nan, 0.0, math.inf)
    tail = (1 - confidence) / sides
    # A chi-square quantile is twice one of the gamma distribution.
    low = gamma_quantile(events, tail) if events else 0.0
    high = gamma_quantile(events + 1, 1 - tail)
    return Interval(events / exposure, low / exposure, high / exposure)
