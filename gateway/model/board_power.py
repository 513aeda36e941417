# SPDX-License-Identifier: MIT
"""Model: what each board draws while its radio is off, in bursts, always on, and asleep.

Computed from the tables of `groundwatch power` (docs/power.md), and not measured; a test compares.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.model.days_left import DaysLeft, Duty, days_left


class BoardPower(NamedTuple):
    """Mean power from the battery in mW while the node samples, and while it sleeps (0: never)."""

    radio_off_mw: float
    radio_burst_mw: float
    radio_always_mw: float
    asleep_mw: float = 0.0


BOARDS = {
    "pico_w": BoardPower(105.5, 345.5, 225.5),
    "pico2_w": BoardPower(80.5, 320.5, 200.5),
    "esp32": BoardPower(141.8, 589.2, 153.6, 3.79),
    "esp32_s3": BoardPower(118.7, 563.5, 129.0, 1.08),
    "esp32_c3": BoardPower(76.2, 475.5, 85.4),
}


def duty_of(
    board: str, radio_share: float | None, is_burst: bool, asleep_share: float | None = None
) -> Duty | None:
    """Of a node; None for an unknown board or before it has measured."""
    power = BOARDS.get(board)
    if power is None or (is_burst and radio_share is None):
        return None
    share = 1.0 if not is_burst or radio_share is None else radio_share
    radio_mw = power.radio_burst_mw if is_burst else power.radio_always_mw
    awake = max(0.0, 1.0 - share - (asleep_share or 0.0))
    return Duty(awake, share, power.radio_off_mw, radio_mw, power.asleep_mw)


def forecast(
    trend: DaysLeft | None, battery_wh: float | None, used_s: float | None, duty: Duty | None
) -> DaysLeft | None:
    """The smaller of the trend and, for a battery of known size that has been in use for `used_s`,
    what is left of it at the measured duty."""
    by_duty = None
    if battery_wh is not None and used_s is not None and duty is not None:
        used_wh = duty.mean_mw * max(0.0, used_s) / 3_600_000
        by_duty = days_left((), 0, max(0.0, battery_wh - used_wh), duty)
    found = [one for one in (trend, by_duty) if one is not None]
    return min(found, key=lambda one: one.days) if found else None
