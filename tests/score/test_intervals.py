# SPDX-License-Identifier: MIT
"""Exact intervals against figures worked out elsewhere."""

from __future__ import annotations

import math

import pytest

from tools.score.intervals import chance, rate, share


@pytest.mark.parametrize(
    ("hits", "trials", "low_pct"),
    # UFGS-13721A's acceptance tests, and the classic 59 of 59 for 95 %
    [(49, 50, 90.9), (98, 100, 93.8), (59, 59, 95.0), (299, 300, 98.4)],
)
def test_share_one_sided_bounds_are_the_published_ones(
    hits: int, trials: int, low_pct: float
) -> None:
    assert 100 * share(hits, trials, sides=1).low == pytest.approx(low_pct, abs=0.06)


@pytest.mark.parametrize(("hours", "per_day"), [(24, 3.0), (72, 1.0), (168, 0.43), (720, 0.10)])
def test_rate_without_any_event_has_the_published_upper_bound(hours: int, per_day: float) -> None:
    nothing = rate(0, hours / 24, sides=1)
    assert nothing.value == nothing.low == 0
    assert nothing.high == pytest.approx(per_day, abs=0.005)


def test_rate_of_five_in_a_week_has_the_published_interval() -> None:
    week = rate(5, 7.0)
    assert (round(week.value, 2), round(week.low, 2), round(week.high, 2)) == (0.71, 0.23, 1.67)


def test_share_two_sided_is_symmetric_and_covers_its_ends() -> None:
    some, rest = share(3, 10), share(7, 10)
    assert some.low == pytest.approx(1 - rest.high)
    assert share(0, 10).low == 0 and share(10, 10).high == 1
    assert share(0, 10).high == pytest.approx(0.3085, abs=1e-4)  # 1 - 0.025 ** (1 / 10)


def test_intervals_of_nothing_measured_are_unbounded() -> None:
    assert math.isnan(share(0, 0).value) and (share(0, 0).low, share(0, 0).high) == (0, 1)
    assert math.isnan(rate(0, 0).value) and rate(0, 0).high == math.inf


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="3 hits of 2"):
        share(3, 2)
    with pytest.raises(ValueError, match="-1 events"):
        rate(-1, 1)


def test_chance_of_a_rate_in_a_window_is_poissons() -> None:
    assert chance(0.01, 100) == pytest.approx(1 - math.exp(-1))
    assert chance(0.01, -5) == chance(0, 100) == 0
