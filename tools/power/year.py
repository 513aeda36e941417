# SPDX-License-Identifier: MIT
"""Workbench: a year of a battery, day by day, with its dark days together."""

from __future__ import annotations

from dataclasses import dataclass

from tools.power.battery import Pack
from tools.power.sun import MONTH_DAYS, Sky, daylight_h, panel_kwh

DAYS = 365
_WEEK = 7
# PVWatts version 5, its losses together: soiling 2, shading 3, mismatch 2, wiring 2, connections
# 0.5, light-induced 1.5, nameplate 1 and availability 3 %. The charger's 90 % is assumed.
SYSTEM = 0.98 * 0.97 * 0.98 * 0.98 * 0.995 * 0.985 * 0.99 * 0.97
CHARGER = 0.90
_MAX_PRIMARY_DAYS = 3650
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Panel:
    """Peak power in W at 1 kW/m2, tilt towards the equator, share lost to shade."""

    peak_w: float
    tilt_deg: float
    shaded: float = 0.0


@dataclass(frozen=True)
class Year:
    """State of charge at the end of each day, 0 to 1 of the whole battery, and the days off."""

    charge: tuple[float, ...]
    floor: tuple[float, ...]  # below this a node may not draw
    harvest_wh: tuple[float, ...]
    empty_days: int
    worst_day: int  # first day, from 0, of the week with the least above the floor

    @property
    def survives(self) -> bool:
        """Whether the node runs all the year."""
        return self.empty_days == 0

    @property
    def worst_week(self) -> str:
        """Its first and last day in words."""
        return f"{day_name(self.worst_day)} to {day_name(self.worst_day + _WEEK - 1)}"


def day_name(day: int) -> str:
    """Of a day of the year from 0: `24 Dec`."""
    month, left = month_and_day(day % DAYS)
    return f"{left + 1} {_MONTHS[month]}"


def month_and_day(day: int) -> tuple[int, int]:
    """Month from 0 and day from 0 of a day of the year from 0."""
    for month, length in enumerate(MONTH_DAYS):
        if day < length:
            return month, day
        day -= length
    raise ValueError("not a day of a year")


def harvest(sky: Sky, panel: Panel, dark_days: int) -> list[float]:
    """Wh a panel offers the charger on each day. A month keeps its mean, but starts overcast."""
    offered = []
    for day in range(DAYS):
        month, into = month_and_day(day)
        length, mean = MONTH_DAYS[month], sky.sunny[month]
        dark = min(dark_days, length)
        bright = min(1.0, mean * length / (length - dark)) if dark < length and mean > 0 else mean
        sunny = min(0.0, mean) if into < dark else bright
        kwh = panel_kwh(sky.latitude_deg, day + 1, sunny, panel.tilt_deg)
        offered.append(kwh * panel.peak_w * SYSTEM * CHARGER * (1 - panel.shaded))
    return offered


def simulate(load_wh: float, pack: Pack, sky: Sky, panel: Panel, dark_days: int) -> Year:
    """The second of two years, so that the charge at the start has no effect."""
    offered = harvest(sky, panel, dark_days)
    held = pack.wh
    charge: list[float] = []
    floors: list[float] = []
    empty = 0
    for _ in range(2):
        charge, floors, empty = [], [], 0
        for day in range(DAYS):
            month, _into = month_and_day(day)
            floor = pack.wh - pack.usable_wh(sky.mean_c[month])
            # By day the panel feeds the node itself; only what passes the battery has its losses.
            direct = min(offered[day], load_wh * daylight_h(sky.latitude_deg, day + 1) / 24)
            held *= 1 - pack.lost_share_per_day
            held += pack.charged(offered[day] - direct, sky.high_c[month])
            if held - (load_wh - direct) < floor:
                empty += 1  # off all that day: the node waits for a fuller battery
            else:
                held -= load_wh - direct
            held = min(pack.wh, held)
            charge.append(held / pack.wh)
            floors.append(floor / pack.wh)
    return Year(tuple(charge), tuple(floors), tuple(offered), empty, _worst(charge, floors))


def primary_days(load_wh: float, pack: Pack, sky: Sky, first_day: int = 0) -> int:
    """Whole days that cells which cannot be charged last, from a day of the year; 3650 at most.

    A Wh drawn in the cold uses more of the cells, since less of their capacity is usable.
    """
    left = 1.0
    full = pack.wh * pack.kind.usable.value
    for day in range(_MAX_PRIMARY_DAYS):
        month, _ = month_and_day((first_day + day) % DAYS)
        there = pack.kind.capacity.at(sky.mean_c[month])
        left -= load_wh / (full * there) + pack.lost_share_per_day
        if left < 0:
            return day
    return _MAX_PRIMARY_DAYS


def _worst(charge: list[float], floors: list[float]) -> int:
    spare = [held - floor for held, floor in zip(charge, floors, strict=True)]
    means = [sum(spare[(day + k) % DAYS] for k in range(_WEEK)) for day in range(DAYS)]
    return means.index(min(means))
