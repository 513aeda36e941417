# SPDX-License-Identifier: MIT
"""Days left: a straight line gives its own end, outliers and single bad days have no effect."""

from __future__ import annotations

import random

import pytest

from gateway.model.days_left import DaysLeft, Duty, days_left

DAY_S = 86_400
DUTY = Duty(awake=0.01, radio=0.003, awake_mw=116, radio_mw=561, asleep_mw=0.5)


def _line(days, from_mv, mv_per_day, noise_mv=0.0, seed=1):
    rng = random.Random(seed)
    return [
        (day * DAY_S + hour * 3600, round(from_mv + mv_per_day * day + rng.gauss(0, noise_mv)))
        for day in range(days)
        for hour in range(0, 24, 3)
    ]


def test_days_left_of_a_straight_line_are_those_of_the_line():
    found = days_left(_line(21, 4000, -10), 3500)
    # 4000 - 200 = 3800 mV on the last day; 300 mV at 10 mV a day.
    assert found == DaysLeft(30.0, 30.0, 30.0, "trend")


@pytest.mark.parametrize("seed", range(5))
def test_days_left_with_noise_lie_within_their_range(seed):
    found = days_left(_line(30, 4000, -8, noise_mv=30, seed=seed), 3500)
    true_days = (4000 - 8 * 29 - 3500) / 8
    assert found.least <= found.days <= found.most
    assert found.days == pytest.approx(true_days, rel=0.2)


def test_days_with_wrong_readings_move_the_trend_little():
    readings = _line(20, 4000, -10)
    wrong = [(t, 1200 if t // DAY_S in (3, 9, 15, 18) else mv) for t, mv in readings]
    assert days_left(wrong, 3500).days == pytest.approx(days_left(readings, 3500).days, rel=0.15)


def test_order_of_readings_does_not_matter():
    readings = _line(20, 4000, -10, noise_mv=20)
    shuffled = readings[:]
    random.Random(7).shuffle(shuffled)
    assert days_left(shuffled, 3500) == days_left(readings, 3500)


def test_voltage_that_rises_or_stays_gives_no_trend():
    assert days_left(_line(20, 3800, 5), 3500) is None
    assert days_left(_line(20, 3800, 0), 3500) is None


def test_few_days_give_no_trend():
    assert days_left([], 3500) is None
    assert days_left(_line(3, 4000, -10), 3500) is None


def test_battery_below_its_limit_has_no_day_left():
    assert days_left(_line(10, 3500, -10), 3500).days == 0


def test_slow_fall_is_bounded_at_ten_years():
    readings = [(day * DAY_S, 4000 if day < 59 else 3999) for day in range(60)]
    found = days_left(readings, 3500)
    assert found is None or found.days <= 3650


def test_days_left_by_duty_are_worked_out_by_hand():
    mean_mw = 0.01 * 116 + 0.003 * 561 + 0.987 * 0.5
    found = days_left([], 3500, left_wh=30, duty=DUTY)
    assert found.basis == "duty"
    assert found.days == pytest.approx(30_000 / (mean_mw * 24))
    assert found.least < found.days < found.most


def test_smaller_forecast_of_the_two_is_given():
    readings = _line(20, 4000, -10)
    assert days_left(readings, 3500, left_wh=30, duty=DUTY).basis == "trend"
    assert days_left(readings, 3500, left_wh=0.5, duty=DUTY).basis == "duty"


@pytest.mark.parametrize("shares", [(-0.1, 0), (0, 1.1), (0.7, 0.4), (float("nan"), 0)])
def test_shares_that_are_none_are_refused(shares):
    duty = Duty(*shares, awake_mw=1, radio_mw=1, asleep_mw=1)
    with pytest.raises(ValueError):
        days_left([], 3500, left_wh=1, duty=duty)


def test_energy_below_nothing_is_refused():
    with pytest.raises(ValueError):
        days_left([], 3500, left_wh=-1, duty=DUTY)
