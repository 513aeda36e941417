# SPDX-License-Identifier: MIT
"""A year of a battery: energy is conserved, cold and dark cost, sizes are the smallest."""

from __future__ import annotations

import pytest

from tools.errors import UserError
from tools.power.battery import Pack, parse_pack
from tools.power.facts import climates
from tools.power.sizing import BATTERIES_AH, PANELS_W, size
from tools.power.sun import Sky, sky_of
from tools.power.year import (
    Panel,
    day_name,
    harvest,
    month_and_day,
    primary_days,
    simulate,
)

SKY = sky_of(climates()["temperate"], 52.0)
WARM = Sky(0.0, (0.5,) * 12, (20.0,) * 12, (25.0,) * 12)
PANEL = Panel(5.0, 67.0)


def test_load_without_sun_empties_the_battery_and_counts_the_days():
    night = Sky(85.0, (0.0,) * 12, (20.0,) * 12, (25.0,) * 12)
    year = simulate(24.0, Pack("lifepo4", 6), night, Panel(0.1, 75), 0)
    assert not year.survives
    assert year.empty_days > 300


def test_charge_stays_between_nothing_and_full_and_a_big_panel_keeps_it_full():
    year = simulate(2.5, Pack("lifepo4", 12), WARM, Panel(50, 15), 0)
    assert all(0 <= held <= 1 for held in year.charge)
    assert min(year.charge) > 0.95


def test_energy_that_the_battery_gives_is_what_the_node_takes():
    # No sun at all: a week's load and self-discharge by hand.
    night = Sky(85.0, (0.0,) * 12, (25.0,) * 12, (25.0,) * 12)
    pack = Pack("lead_gel", 100)
    year = simulate(0.1, pack, night, Panel(0.1, 75), 0)
    week = (year.charge[10] - year.charge[17]) * pack.wh
    lost = pack.lost_share_per_day * year.charge[13] * pack.wh * 7
    assert week - lost == pytest.approx(0.7, abs=0.02)


def test_dark_days_together_leave_the_mean_of_the_month_alone():
    # On a level panel the sun of a day is linear in its sunshine, but for the days' own length.
    flat = Panel(1.0, 0.0)
    even, bunched = harvest(WARM, flat, 0), harvest(WARM, flat, 5)
    assert sum(bunched) == pytest.approx(sum(even), rel=0.01)
    assert bunched[0] < 0.6 * even[0]


def test_more_dark_days_and_more_shade_never_leave_more_in_the_battery():
    pack = Pack("lifepo4", 6)
    spare = [
        min(held - floor for held, floor in zip(year.charge, year.floor, strict=True))
        for year in (
            simulate(2.5, pack, SKY, PANEL, 0),
            simulate(2.5, pack, SKY, PANEL, 7),
            simulate(2.5, pack, SKY, Panel(5.0, 67.0, 0.3), 7),
        )
    ]
    assert spare == sorted(spare, reverse=True)
    assert spare[2] < spare[0]


def test_lithium_is_not_charged_while_days_stay_below_freezing():
    cold = Sky(52.0, SKY.sunny, (-10.0,) * 12, (-1.0,) * 12)
    assert not simulate(2.5, Pack("lifepo4", 18), cold, PANEL, 0).survives
    assert simulate(2.5, Pack("lead_gel", 18), cold, PANEL, 0).survives


def test_worst_week_is_where_least_is_left():
    year = simulate(2.5, Pack("lifepo4", 6), SKY, PANEL, 5)
    spare = [held - floor for held, floor in zip(year.charge, year.floor, strict=True)]
    week = sum(spare[(year.worst_day + day) % 365] for day in range(7))
    assert all(
        week <= sum(spare[(start + day) % 365] for day in range(7)) + 1e-9 for start in range(365)
    )
    assert year.worst_week.startswith(day_name(year.worst_day))


def test_days_of_the_year_have_their_names():
    assert [day_name(day) for day in (0, 58, 59, 364, 365)] == [
        "1 Jan",
        "28 Feb",
        "1 Mar",
        "31 Dec",
        "1 Jan",
    ]
    with pytest.raises(ValueError):
        month_and_day(365)


def test_primary_cells_last_by_hand_as_long_as_in_the_table_when_it_is_warm():
    pack = Pack("alkaline_d", 2)
    full = 2 * 17 * 1.2 * 0.85
    per_day = 0.1 / full + 0.0025 / (365 / 12)
    assert primary_days(0.1, pack, WARM) == pytest.approx(1 / per_day, abs=1)


def test_primary_cells_last_less_in_the_cold_and_never_for_ever():
    pack = Pack("alkaline_d", 2)
    assert primary_days(0.08, pack, SKY) < primary_days(0.08, pack, WARM)
    assert primary_days(1e-9, Pack("lisocl2_d", 24), WARM) == 3650


@pytest.mark.parametrize("days", [0, 5, 10])
def test_size_is_the_smallest_battery_for_the_dark_days_and_its_smallest_panel(days):
    found = size(2.55, "lifepo4", SKY, 67.0, 0.25, days)
    assert found.year.survives
    assert found.pack.usable_wh(min(SKY.mean_c)) >= 2.55 * days
    at = PANELS_W.index(found.panel.peak_w)
    assert at
    smaller = Panel(PANELS_W[at - 1], 67.0, 0.25)
    assert not simulate(2.55, found.pack, SKY, smaller, days).survives
    most = Panel(PANELS_W[-1], 67.0, 0.25)
    for amount in BATTERIES_AH[: BATTERIES_AH.index(found.pack.amount)]:
        pack = Pack("lifepo4", amount)
        bridges = pack.usable_wh(min(SKY.mean_c)) >= 2.55 * days
        assert not bridges or not simulate(2.55, pack, SKY, most, days).survives


def test_size_takes_a_larger_battery_where_it_is_too_cold_to_charge():
    cold = sky_of(climates()["temperate"], 60.0, 5.0)
    lithium = size(1.0, "lifepo4", cold, 75.0, 0.25, 5)
    lead = size(1.0, "lead_gel", cold, 75.0, 0.25, 5)
    assert lithium.pack.wh > 3 * lead.pack.wh


def test_load_that_nothing_carries_is_a_user_error():
    with pytest.raises(UserError, match="no panel up to 100 W"):
        size(500.0, "lifepo4", SKY, 67.0, 0.25, 5)


@pytest.mark.parametrize(
    "text",
    [
        "", "lifepo4", "lifepo4:", "lifepo4:6", "lifepo4:0Ah", "lifepo4:-6Ah", "lifepo4:6Ahh",
        "lifepo4:1e3Ah", "lifepo4:9999Ah", "lifepo4:nanAh", "nimh:2Ah", "alkaline_d:2Ah",
        "alkaline_d:2.5", "alkaline_d:99", "alkaline_d:0", "\x00:6Ah",
    ],
)  # fmt: skip
def test_battery_that_makes_no_sense_is_a_user_error(text):
    with pytest.raises(UserError):
        parse_pack(text)


def test_battery_is_written_as_it_is_read():
    for text in ("lifepo4:6Ah", "alkaline_d:2", "lead_gel:7.2Ah"):
        assert str(parse_pack(text)) == text
