# SPDX-License-Identifier: MIT
"""The intake's clock: ticks become UTC, with an uncertainty that holds."""

from __future__ import annotations

import random

from gateway.intake.nodes.boot_clock import first_sample, unwrap_ms

START_US = 1_790_000_000_000_000


def test_clock_delays_vary_least_delay_wins_and_truth_is_inside() -> None:
    rng = random.Random(3)
    clock = None
    for t_ms in range(1000, 3_600_000, 60_000):
        delay_us = int(1e6 * (0.004 + rng.expovariate(5)))
        arrival_us = START_US + t_ms * 1000 + delay_us
        clock = clock.observe(arrival_us, t_ms) if clock else first_sample(arrival_us, t_ms)
    assert clock is not None
    assert 0 <= clock.start_us - START_US < 60_000
    assert clock.start_us - clock.spread_us <= START_US + 10_000


def test_clock_backlog_of_an_old_boot_is_very_uncertain() -> None:
    assert first_sample(START_US, 5000, live=False).spread_us > 3600 * 1_000_000


def test_clock_uptime_wraps_after_49_days_it_goes_on() -> None:
    wrap_ms = 1 << 32
    arrival_us = START_US + (wrap_ms + 5000) * 1000
    assert unwrap_ms(5000, arrival_us, START_US) == wrap_ms + 5000
    clock = first_sample(START_US, 0).observe(arrival_us, 5000)
    assert abs(clock.utc_us(6000, arrival_us + 2_000_000) - arrival_us - 1_000_000) < 400_000_000


def test_clock_never_places_a_message_after_its_arrival() -> None:
    clock = first_sample(START_US, 0)
    assert clock.utc_us(9000, START_US + 1) == START_US + 1
