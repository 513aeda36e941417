# SPDX-License-Identifier: MIT
"""Limits: a token bucket and a backoff with jitter; time and randomness come from the caller."""

from __future__ import annotations

import random


class TokenBucket:
    """`burst` tokens at once, then `rate_per_s` a second. It starts full.

    Times are seconds of any one clock. A clock that is set back adds nothing, and counting goes on
    from there.
    """

    __slots__ = ("_at_s", "_burst", "_rate_per_s", "_tokens")

    def __init__(self, rate_per_s: float, burst: float) -> None:
        if rate_per_s <= 0 or burst < 1:
            raise ValueError("a bucket needs a positive rate and room for one token")
        self._rate_per_s = rate_per_s
        self._burst = float(burst)
        self._tokens = self._burst
        self._at_s: float | None = None

    def take(self, now_s: float) -> bool:
        """One token; False when there is none."""
        if now_s != self._at_s:  # many messages of one read have one time
            self._fill(now_s)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def reserve(self, now_s: float) -> float:
        """One token, in advance if there is none; seconds to wait until it is due (0: now)."""
        self._fill(now_s)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate_per_s)

    def give_back(self) -> None:
        """The last token was not used."""
        self._tokens = min(self._burst, self._tokens + 1)

    def _fill(self, now_s: float) -> None:
        if self._at_s is not None and now_s > self._at_s:
            added = (now_s - self._at_s) * self._rate_per_s
            self._tokens = min(self._burst, self._tokens + added)
        self._at_s = now_s


def wait_after(attempts: int, first_s: float, max_s: float, rng: random.Random) -> float:
    """Seconds to wait after so many attempts that failed (from 1): `first_s`, doubled up to
    `max_s`, times 0.5 to 1.5 so that many clients of one server do not return together."""
    doublings = min(attempts - 1, 60)  # beyond it no float need be that large
    return min(max_s, first_s * 2.0**doublings) * rng.uniform(0.5, 1.5)


class Backoff:
    """The same for one that counts its attempts: `wait_after` each failure since a reset."""

    __slots__ = ("_attempts", "_first_s", "_max_s", "_rng")

    def __init__(self, first_s: float, max_s: float, rng: random.Random) -> None:
        if not 0 < first_s <= max_s:
            raise ValueError("the first wait is positive and not above the longest")
        self._first_s, self._max_s, self._rng = first_s, max_s, rng
        self._attempts = 0

    def next_s(self) -> float:
        """Seconds to wait before the next attempt."""
        self._attempts += 1
        return wait_after(self._attempts, self._first_s, self._max_s, self._rng)

    def reset(self) -> None:
        """It worked: the next wait is the first again."""
        self._attempts = 0
