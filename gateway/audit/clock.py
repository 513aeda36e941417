# SPDX-License-Identifier: MIT
"""Accountability: the clock by which the gateway acts: the computer's, while the records agree.

Retention, expiry of masks, tokens and commands, schedules, key rotation on the nodes: all read this
clock. It is the computer's clock as long as that one agrees with the last known moment. If it does
not, time goes on from that moment by a counter that no person sets, until a person confirms.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from gateway.errors import ConfigError

HOUR_US = 3600 * 1_000_000
DAY_US = 24 * HOUR_US
# A gateway that was off over a long weekend, or a computer without a battery-backed clock that a
# time service sets after the start.
MAX_AHEAD_US = 3 * DAY_US
# Records are never of the future. Two hours: a clock that was set by summer time is no doubt.
MAX_BEHIND_US = 2 * HOUR_US
# Where nothing is known yet: no clock is right before this version was written.
FIRST_US = 1_764_547_200_000_000  # 2025-12-01


def steady_us() -> int:
    """Microseconds since the computer's start, its sleep included where the system counts it."""
    which = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(which) // 1000


def computer_us() -> int:
    """UTC microseconds by the computer's clock, whatever it shows."""
    return time.time_ns() // 1000


class Reading(NamedTuple):
    """The computer's clock, and the one that the gateway goes by; UTC microseconds."""

    computer_us: int
    gateway_us: int
    doubted: bool

    @property
    def gap_us(self) -> int:
        """How far the computer's clock is ahead; below zero: behind."""
        return self.computer_us - self.gateway_us


class GatewayClock:
    """Call it for UTC microseconds."""

    def __init__(
        self, computer_us: Callable[[], int], steady: Callable[[], int] = steady_us
    ) -> None:
        self._computer_us = computer_us
        self._steady = steady
        self._base_us: int | None = None  # a moment that is known, and the counter then
        self._base_steady = 0
        self._doubted = False

    def __call__(self) -> int:
        return self.read().gateway_us

    def start(self, known_us: int | None) -> None:
        """The newest moment on record; None when nothing is on record."""
        known_us = FIRST_US if known_us is None else known_us
        # Nothing bounds a first start from above.
        unbounded = known_us == FIRST_US and self._computer_us() >= FIRST_US
        self._set_base(self._computer_us() if unbounded else known_us)
        self._doubted = True  # the first reading decides

    def read(self) -> Reading:
        """Both clocks now."""
        computer_us = self._computer_us()
        if self._base_us is None:
            return Reading(computer_us, computer_us, False)
        expected_us = self._base_us + self._steady() - self._base_steady
        believed = -MAX_BEHIND_US <= computer_us - expected_us <= MAX_AHEAD_US
        if believed and self._doubted:
            self._set_base(computer_us)
        self._doubted = not believed
        return Reading(computer_us, computer_us if believed else expected_us, not believed)

    def confirm(self) -> Reading:
        """A person vouches for the computer's clock; what both showed before. Raises ConfigError
        for one that was never set."""
        reading = self.read()
        if reading.computer_us < FIRST_US:
            raise ConfigError(
                f"the computer's clock shows {shown(reading.computer_us)}, before this version "
                "was written: set it first"
            )
        self._set_base(reading.computer_us)
        return reading

    def _set_base(self, now_us: int) -> None:
        self._base_us, self._base_steady = now_us, self._steady()


def shown(at_us: int) -> str:
    """A moment for people, also one that no calendar holds."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    except OverflowError:
        return f"{at_us} us"
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def shown_gap(gap_us: int) -> str:
    """How far apart two clocks are."""
    hours = abs(gap_us) // HOUR_US
    length = f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
    return f"{length} {'ahead of' if gap_us > 0 else 'behind'}"
