# SPDX-License-Identifier: MIT
"""Model: how long a node still runs, from its battery's measured voltage and its measured duty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_DAY_S = 86_400
# Voltage swings with the day's temperature and with each message: one value a day, its median.
_MIN_DAYS = 4
_MAX_DAYS = 60  # of the past; older days no longer describe the battery
_FOR_EVER_DAYS = 3_650.0


@dataclass(frozen=True)
class Duty:
    """What a node measured of itself: mean shares of its time, 0 to 1 (the rest is sleep), and the
    power in mW of each from its board's budget (docs/power.md)."""

    awake: float
    radio: float
    awake_mw: float
    radio_mw: float
    asleep_mw: float

    @property
    def mean_mw(self) -> float:
        """Mean power. Raises ValueError for shares that are none."""
        if not (0 <= self.awake <= 1 and 0 <= self.radio <= 1 and self.awake + self.radio <= 1):
            raise ValueError(f"shares of time: awake {self.awake}, radio {self.radio}")
        asleep = 1 - self.awake - self.radio
        return self.awake * self.awake_mw + self.radio * self.radio_mw + asleep * self.asleep_mw


@dataclass(frozen=True)
class DaysLeft:
    """A forecast in days with its range, and what it rests on: `trend` or `duty`."""

    days: float
    least: float
    most: float
    basis: str


def days_left(
    readings: Sequence[tuple[int, int]],
    empty_mv: int,
    left_wh: float | None = None,
    duty: Duty | None = None,
) -> DaysLeft | None:
    """The smaller of two forecasts, or the one there is; None without either.

    `readings` are (utc_s, battery_mv) in any order. The trend is the median of the slopes between
    all pairs of days (Theil and Sen), its range their quartiles: a quarter of the days may be wrong
    without moving it. A voltage that does not fall gives no trend. `left_wh` and `duty` give
    the other: energy by mean power, with a quarter more and less.
    """
    found = [one for one in (_by_trend(readings, empty_mv), _by_duty(left_wh, duty)) if one]
    return min(found, key=lambda one: one.days) if found else None


def _by_trend(readings: Sequence[tuple[int, int]], empty_mv: int) -> DaysLeft | None:
    by_day: dict[int, list[int]] = {}
    for utc_s, battery_mv in readings:
        by_day.setdefault(utc_s // _DAY_S, []).append(battery_mv)
    days = sorted(by_day)[-_MAX_DAYS:]
    if len(days) < _MIN_DAYS:
        return None
    level = {day: median(by_day[day]) for day in days}
    slopes = sorted(
        (level[later] - level[day]) / (later - day)
        for at, day in enumerate(days)
        for later in days[at + 1 :]
    )
    slope = median(slopes)
    if slope >= 0:
        return None
    now_mv = median(level[day] - slope * (day - days[-1]) for day in days)
    above_mv = max(0.0, now_mv - empty_mv)
    steep, flat = slopes[len(slopes) // 4], slopes[-1 - len(slopes) // 4]
    return DaysLeft(
        _bounded(above_mv / -slope),
        _bounded(above_mv / -steep),
        _bounded(above_mv / -flat) if flat < 0 else _FOR_EVER_DAYS,
        "trend",
    )


def _by_duty(left_wh: float | None, duty: Duty | None) -> DaysLeft | None:
    if left_wh is None or duty is None:
        return None
    if left_wh < 0:
        raise ValueError(f"energy left: {left_wh} Wh")
    if duty.mean_mw <= 0:
        return None
    days = left_wh * 1000 / (duty.mean_mw * 24)
    return DaysLeft(_bounded(days), _bounded(days * 0.75), _bounded(days * 1.25), "duty")


def _bounded(days: float) -> float:
    return min(days, _FOR_EVER_DAYS)
