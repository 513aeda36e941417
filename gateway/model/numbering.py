# SPDX-License-Identifier: MIT
"""Model: numbers that grow with time: a store that is older than the newest one repeats none."""

from __future__ import annotations

_SINCE_US = 1_735_689_600_000_000  # 2025-01-01


def floor_at(now_us: int, per_s: int) -> int:
    """Numbers of that time are above this one, and above all earlier ones while fewer than `per_s`
    are given out in a second, as a mean over the time since then."""
    return max(0, now_us - _SINCE_US) * per_s // 1_000_000
