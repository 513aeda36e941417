# SPDX-License-Identifier: MIT
"""Workbench: the sun on a panel, by latitude, month and clouds, in closed form.

Above the air and through it: Allen and others, FAO Irrigation and Drainage Paper 56 (1998), chapter
3, equations 21 to 25, 34 and 35. On a tilted panel: Liu and Jordan's isotropic sky with the monthly
diffuse share of Erbs and others, as in Duffie and Beckman, Solar Engineering of Thermal Processes,
sections 2.12 and 2.19.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, cos, pi, radians, sin, tan

from tools.power.facts import Climate

_SOLAR_MJ_M2_MIN = 0.0820  # FAO 56, equation 21
_MJ_PER_KWH = 3.6
# FAO 56, equation 35 with its values for places without a calibration.
_OVERCAST, _SUNNY = 0.25, 0.50
_ALBEDO = 0.2  # Duffie and Beckman, bare ground
MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# The day whose declination is the month's mean: Klein 1977, in Duffie and Beckman, table 1.6.1.
_MEAN_DAY = (17, 47, 75, 105, 135, 162, 198, 228, 258, 288, 318, 344)


@dataclass(frozen=True)
class Sky:
    """Twelve months from January at one place: the share of daylight with sun, temperatures."""

    latitude_deg: float
    sunny: tuple[float, ...]
    mean_c: tuple[float, ...]
    high_c: tuple[float, ...]


def declination(day: int) -> float:
    """Of the sun on a day of the year (1 to 365), in radians: FAO 56, equation 24."""
    return 0.409 * sin(2 * pi * day / 365 - 1.39)


def sunset_angle(latitude_deg: float, day: int) -> float:
    """In radians from noon, 0 in the polar night and pi in the polar day: equation 25."""
    turned = -tan(radians(latitude_deg)) * tan(declination(day))
    return acos(max(-1.0, min(1.0, turned)))


def daylight_h(latitude_deg: float, day: int) -> float:
    """Hours from sunrise to sunset: equation 34."""
    return 24 / pi * sunset_angle(latitude_deg, day)


def above_air_kwh(latitude_deg: float, day: int) -> float:
    """On level ground without an atmosphere, kWh/m2 in a day: equations 21 and 23."""
    nearness = 1 + 0.033 * cos(2 * pi * day / 365)
    angle, tilt = sunset_angle(latitude_deg, day), declination(day)
    phi = radians(latitude_deg)
    height = angle * sin(phi) * sin(tilt) + cos(phi) * cos(tilt) * sin(angle)
    return 24 * 60 / pi * _SOLAR_MJ_M2_MIN * nearness * max(0.0, height) / _MJ_PER_KWH


def level_kwh(latitude_deg: float, day: int, sunny: float) -> float:
    """On level ground when `sunny` of the daylight has sun, kWh/m2 in a day: equation 35."""
    return (_OVERCAST + _SUNNY * sunny) * above_air_kwh(latitude_deg, day)


def panel_kwh(latitude_deg: float, day: int, sunny: float, tilt_deg: float) -> float:
    """On a panel tilted towards the equator, kWh/m2 in a day."""
    level = level_kwh(latitude_deg, day, sunny)
    if level <= 0:
        return 0.0
    clearness = _OVERCAST + _SUNNY * sunny
    diffuse = _diffuse_share(clearness, sunset_angle(latitude_deg, day))
    tilt = radians(tilt_deg)
    beam = (1 - diffuse) * _beam_ratio(latitude_deg, day, tilt_deg)
    return level * (beam + diffuse * (1 + cos(tilt)) / 2 + _ALBEDO * (1 - cos(tilt)) / 2)


def _beam_ratio(latitude_deg: float, day: int, tilt_deg: float) -> float:
    # Duffie and Beckman, equation 2.19.3, for a panel that faces the equator.
    sign = 1 if latitude_deg >= 0 else -1
    phi, dip = radians(abs(latitude_deg)), sign * declination(day)
    leaned = phi - radians(tilt_deg)
    down = sunset_angle(latitude_deg, day)
    behind = acos(max(-1.0, min(1.0, -tan(leaned) * tan(dip))))
    seen = min(down, behind)
    on_panel = cos(leaned) * cos(dip) * sin(seen) + seen * sin(leaned) * sin(dip)
    on_level = cos(phi) * cos(dip) * sin(down) + down * sin(phi) * sin(dip)
    return max(0.0, on_panel / on_level) if on_level > 1e-9 else 0.0


def _diffuse_share(clearness: float, sunset: float) -> float:
    # Erbs, Klein and Duffie 1982, monthly means, which hold from 0.3 to 0.8. A day without any sun
    # has no beam at all.
    if clearness <= _OVERCAST:
        return 1.0
    k = max(0.3, min(0.8, clearness))
    if sunset <= radians(81.4):
        return 1.391 - 3.560 * k + 4.189 * k**2 - 2.137 * k**3
    return 1.311 - 3.022 * k + 3.427 * k**2 - 1.821 * k**3


def sky_of(climate: Climate, latitude_deg: float, colder_c: float = 0.0) -> Sky:
    """A climate's clouds at a latitude; south of the equator half a year later."""
    sunny = []
    for month, day in enumerate(_MEAN_DAY):
        if climate.sunshine_min is not None:
            light_h = daylight_h(climate.latitude_deg, day) * MONTH_DAYS[month]
            sunny.append(min(1.0, climate.sunshine_min[month] / 60 / light_h))
        elif climate.level_wh_m2 is not None:
            above = above_air_kwh(climate.latitude_deg, day)
            sunny.append(_sunny(climate.level_wh_m2[month] / 1000 / above))
    return Sky(
        latitude_deg,
        _turned(sunny, latitude_deg),
        _turned([value - colder_c for value in climate.mean_c], latitude_deg),
        _turned([value - colder_c for value in climate.high_c], latitude_deg),
    )


def sky_of_measured(sky: Sky, level_kwh_m2: tuple[float, ...]) -> Sky:
    """The same place with a user's own twelve months of kWh/m2 a day on level ground."""
    sunny = []
    for day, level in zip(_MEAN_DAY, level_kwh_m2, strict=True):
        above = above_air_kwh(sky.latitude_deg, day)
        sunny.append(_sunny(level / above) if above > 0 else 0.0)
    return Sky(sky.latitude_deg, tuple(sunny), sky.mean_c, sky.high_c)


def best_tilt(latitude_deg: float) -> float:
    """A steep panel for the winter: latitude and 15 degrees, between 15 and 75."""
    return max(15.0, min(75.0, abs(latitude_deg) + 15))


def _sunny(clearness: float) -> float:
    # Equation 35 the other way round; below 0.25 the sky is darker than its overcast.
    return max(-_OVERCAST / _SUNNY, min(1.0, (clearness - _OVERCAST) / _SUNNY))


def _turned(months: list[float], latitude_deg: float) -> tuple[float, ...]:
    return tuple(months if latitude_deg >= 0 else months[6:] + months[:6])
