# SPDX-License-Identifier: MIT
"""Score: exact confidence intervals, the same as the gateway's own; and hits by chance."""

from __future__ import annotations

import math

from gateway.performance.intervals import CONFIDENCE, Interval, rate, share

__all__ = ["CONFIDENCE", "Interval", "chance", "rate", "share"]


def chance(rate_per_s: float, window_s: float) -> float:
    """Probability that events at that rate hit a window at least once."""
    return -math.expm1(-rate_per_s * max(0.0, window_s))
