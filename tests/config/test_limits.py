# SPDX-License-Identifier: MIT
"""Token bucket and backoff: bounded rates, whatever the clock does."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits import Backoff, TokenBucket

TIMES = st.lists(st.floats(-1e9, 2e9, allow_nan=False), max_size=60)


def test_bucket_that_is_full_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(rate_per_s=2.0, burst=3)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(100.5), bucket.take(100.5)] == [True, False]


def test_bucket_token_given_back_can_be_taken_once() -> None:
    bucket = TokenBucket(1.0, 1)
    assert bucket.take(5.0)
    bucket.give_back()
    bucket.give_back()
    assert [bucket.take(5.0), bucket.take(5.0)] == [True, False]


def test_bucket_reserve_waits_in_turn_when_empty() -> None:
    bucket = TokenBucket(rate_per_s=10.0, burst=1)
    assert [round(bucket.reserve(7.0), 6) for _ in range(3)] == [0.0, 0.1, 0.2]


def test_bucket_clock_set_back_gives_nothing_and_goes_on_from_there() -> None:
    bucket = TokenBucket(1.0, 1)
    assert bucket.take(1_000_000.0)
    assert not bucket.take(5.0)
    assert bucket.take(6.0)


@given(TIMES)
def test_bucket_over_any_times_grants_no_more_than_burst_and_forward_time(
    times_s: list[float],
) -> None:
    bucket = TokenBucket(0.5, 4)
    granted = sum(bucket.take(now_s) for now_s in times_s)
    forward_s = sum(max(0.0, b - a) for a, b in zip(times_s, times_s[1:], strict=False))
    assert granted <= 4 + 0.5 * forward_s + 1e-6


@pytest.mark.parametrize(("rate_per_s", "burst"), [(0.0, 1), (-1.0, 1), (1.0, 0)])
def test_bucket_that_could_never_give_is_refused(rate_per_s: float, burst: float) -> None:
    with pytest.raises(ValueError, match="bucket"):
        TokenBucket(rate_per_s, burst)


def test_backoff_doubles_to_its_longest_with_jitter_and_starts_again_after_reset() -> None:
    backoff = Backoff(1.0, 8.0, random.Random(3))
    bases = [1.0, 2.0, 4.0, 8.0, 8.0]
    for base in (*bases, *[8.0] * 2000):
        assert 0.5 * base <= backoff.next_s() <= 1.5 * base
    backoff.reset()
    assert backoff.next_s() <= 1.5
