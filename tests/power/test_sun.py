# SPDX-License-Identifier: MIT
"""The sun by formula, against figures that others have printed."""

from __future__ import annotations

from math import cos, pi, radians, sin

import pytest

from tools.power import sun
from tools.power.facts import climates

_MJ = 3.6


@pytest.mark.parametrize(
    ("latitude", "day", "mj"),
    [
        (-20.0, 246, 32.2),  # FAO 56, example 8: 3 September
        (-22.9, 135, 25.1),  # FAO 56, example 10: Rio de Janeiro, 15 May
    ],
)
def test_sun_above_the_air_is_that_of_the_published_examples(latitude, day, mj):
    assert sun.above_air_kwh(latitude, day) * _MJ == pytest.approx(mj, abs=0.05)


def test_daylight_of_the_published_example_is_met():
    assert sun.daylight_h(-20.0, 246) == pytest.approx(11.7, abs=0.05)  # FAO 56, example 9


def test_sun_on_level_ground_is_that_of_the_published_example():
    # FAO 56, example 10: 7.1 h of sun in 10.9 h of daylight give 14.5 MJ/m2.
    light = sun.daylight_h(-22.9, 135)
    assert light == pytest.approx(10.9, abs=0.05)
    assert sun.level_kwh(-22.9, 135, 7.1 / light) * _MJ == pytest.approx(14.5, abs=0.1)


def test_polar_night_is_dark_and_polar_day_has_no_sunset():
    assert sun.above_air_kwh(80.0, 355) == pytest.approx(0.0, abs=1e-9)
    assert sun.panel_kwh(80.0, 355, 0.5, 75.0) == 0.0
    assert sun.sunset_angle(80.0, 172) == pytest.approx(pi)


def test_panel_that_lies_flat_gets_the_level_sun():
    for day in (15, 105, 200, 300):
        level = sun.level_kwh(50.0, day, 0.5)
        assert sun.panel_kwh(50.0, day, 0.5, 0.0) == pytest.approx(level, rel=1e-9)


def test_panels_north_and_south_of_the_equator_mirror_each_other_half_a_year_apart():
    # The sun's distance differs by 3.3 %, and with it the radiation by that much twice.
    north, south = sun.panel_kwh(40.0, 355, 0.5, 55.0), sun.panel_kwh(-40.0, 172, 0.5, 55.0)
    assert south == pytest.approx(north, rel=0.08)


def test_steep_panel_gets_more_in_winter_and_less_in_summer():
    assert sun.panel_kwh(52.0, 355, 0.3, 67.0) > 1.5 * sun.panel_kwh(52.0, 355, 0.3, 0.0)
    assert sun.panel_kwh(52.0, 172, 0.5, 67.0) < sun.panel_kwh(52.0, 172, 0.5, 0.0)


def test_beam_on_a_tilted_panel_is_the_sum_over_the_minutes_of_the_day():
    # Beam alone, summed in steps of a minute: the closed ratio must be that sum's.
    latitude, day, tilt = 52.0, 300, 60.0
    dip, phi, leaned = sun.declination(day), radians(latitude), radians(latitude - tilt)
    on_panel = on_level = 0.0
    for minute in range(24 * 60):
        hour = (minute + 0.5) / (24 * 60) * 2 * pi - pi
        level = sin(phi) * sin(dip) + cos(phi) * cos(dip) * cos(hour)
        panel = sin(leaned) * sin(dip) + cos(leaned) * cos(dip) * cos(hour)
        if level > 0:
            on_level += level
            on_panel += max(0.0, panel)
    assert sun._beam_ratio(latitude, day, tilt) == pytest.approx(on_panel / on_level, rel=1e-3)


def test_climate_gives_its_own_place_its_own_sun_back():
    climate = climates()["mediterranean"]
    sky = sun.sky_of(climate, climate.latitude_deg)
    for month, day in enumerate((17, 47, 75, 105, 135, 162, 198, 228, 258, 288, 318, 344)):
        level = sun.level_kwh(climate.latitude_deg, day, sky.sunny[month])
        assert level == pytest.approx(climate.level_wh_m2[month] / 1000, rel=0.02)


def test_user_given_sun_is_what_level_ground_gets():
    sky = sun.sky_of(climates()["temperate"], 52.0)
    given = (0.6, 1.2, 2.4, 3.9, 4.9, 5.1, 5.0, 4.2, 3.0, 1.7, 0.8, 0.45)
    sky = sun.sky_of_measured(sky, given)
    assert sun.level_kwh(52.0, 344, sky.sunny[11]) == pytest.approx(0.45, rel=1e-6)
    assert sun.level_kwh(52.0, 162, sky.sunny[5]) == pytest.approx(5.1, rel=1e-6)


def test_seasons_south_of_the_equator_are_turned_by_half_a_year():
    north, south = (sun.sky_of(climates()["temperate"], at) for at in (50.0, -50.0))
    assert south.mean_c[6] == north.mean_c[0]
    assert south.sunny[0] == north.sunny[6]
