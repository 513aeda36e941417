# SPDX-License-Identifier: MIT
"""Days left: heartbeats become a trend, a battery of known size a forecast, and both are shown."""

from __future__ import annotations

import pytest

from gateway.intake.nodes.battery import EMPTY_MV, Batteries
from gateway.model.board_power import BOARDS, duty_of, forecast
from gateway.store.interface import Snapshot, Writes
from tools.power.budget import Use, budget, sentinels
from tools.power.facts import boards

DAY_US = 86_400_000_000
MINUTE_US = 60_000_000


def _fed(batteries: Batteries, days: int, start_mv: int, mv_a_day: int, first: int = 0) -> None:
    for day in range(first, first + days):
        for minute in range(0, 1440, 30):
            mv = start_mv + mv_a_day * (day - first)
            batteries.on_health("n01", day * DAY_US + minute * MINUTE_US, mv)


def test_battery_that_falls_has_days_left_after_four_whole_days() -> None:
    batteries = Batteries()
    _fed(batteries, 4, 3900, -10)
    assert batteries.trend("n01") is None
    _fed(batteries, 1, 3860, 0, first=4)
    trend = batteries.trend("n01")
    assert trend is not None
    assert trend.days == pytest.approx((3870 - EMPTY_MV) / 10)


def test_changed_battery_begins_a_new_trend() -> None:
    batteries = Batteries()
    _fed(batteries, 10, 3600, -20)
    assert batteries.trend("n01") is not None
    _fed(batteries, 2, 4100, -20, first=10)
    assert batteries.trend("n01") is None


def test_supply_without_a_battery_gives_nothing_and_a_clock_set_back_starts_again() -> None:
    batteries = Batteries()
    _fed(batteries, 10, 500, -10)
    assert batteries.trend("n01") is None
    _fed(batteries, 10, 3900, -10, first=10)
    assert batteries.trend("n01") is not None
    _fed(batteries, 1, 3900, -10)
    assert batteries.trend("n01") is None


def test_trend_survives_a_restart_and_is_written_once_an_hour() -> None:
    batteries = Batteries()
    _fed(batteries, 10, 3900, -10)
    writes = Writes()
    batteries.collect(writes)
    again = Batteries()
    again.restore(Snapshot(state=dict(writes.state)))
    assert again.trend("n01") == batteries.trend("n01") is not None
    assert len(writes.state["battery:n01"]) < 1_000
    batteries.on_health("n01", 10 * DAY_US - 20 * MINUTE_US, 3800)
    later = Writes()
    batteries.collect(later)
    assert not later.state


@pytest.mark.parametrize("name", BOARDS)
def test_power_of_a_board_is_that_of_the_power_tables(name: str) -> None:
    power = BOARDS[name]
    # Hardly a message: what is left is the board with its parts.
    always = budget(name, Use(messages_per_day=0, heartbeat_s=1e9)).mw
    off = budget(name, Use(radio="burst", messages_per_day=0, heartbeat_s=1e9)).mw
    on = budget(name, Use(radio="burst", messages_per_day=0, heartbeat_s=1, burst_s=1)).mw
    assert power[:3] == pytest.approx((off, on, always), abs=0.1)
    if name in sentinels():
        still = Use("sentinel", messages_per_day=0, wakes_per_day=0, heartbeat_s=1e9)
        assert power.asleep_mw == pytest.approx(budget(name, still).mw, abs=0.01)
    else:
        assert not power.asleep_mw
    assert name in boards()


def test_battery_of_known_size_is_used_up_by_the_measured_duty() -> None:
    duty = duty_of("pico_w", 0.01, is_burst=True)
    assert duty is not None
    mean_mw = 0.99 * 105.5 + 0.01 * 345.5
    assert duty.mean_mw == pytest.approx(mean_mw)
    left = forecast(None, 57.6, 10 * 86_400, duty)
    assert left is not None
    assert left.days == pytest.approx((57.6 - mean_mw * 0.24) / (mean_mw * 0.024))
    assert left.basis == "duty"
    gone = forecast(None, 1.0, 100 * 86_400, duty)
    assert gone is not None and gone.days == 0
    assert forecast(None, 57.6, None, duty) is None
    assert forecast(None, None, 1.0, duty) is None


def test_sentinel_is_charged_for_the_sleep_that_it_measured() -> None:
    duty = duty_of("esp32_s3", 0.002, is_burst=True, asleep_share=0.99)
    assert duty is not None
    assert duty.mean_mw == pytest.approx(0.008 * 118.7 + 0.002 * 563.5 + 0.99 * 1.08)


def test_duty_of_an_unknown_board_or_before_it_is_measured_is_none() -> None:
    assert duty_of("played", 0.5, is_burst=True) is None
    assert duty_of("pico_w", None, is_burst=True) is None
    always = duty_of("pico_w", None, is_burst=False)
    assert always is not None and always.mean_mw == pytest.approx(225.5)
