# SPDX-License-Identifier: MIT
"""The policy of a sector: the word of one node is enough, or a second source must agree."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from gateway.alarms import AlarmRules, AlarmState, EventChanged, step
from gateway.alarms.confirmation import may_raise, policy, policy_text
from gateway.alarms.schedule import Schedule, parse_windows
from gateway.config.alarms import Confirmation, alarm_config, alarm_rules
from gateway.errors import ConfigError
from gateway.model.event import Event
from gateway.model.place.site import Node, Sector, Site
from gateway.model.target import TargetClass

S = 1_000_000
MONDAY_US = 1_767_571_200 * S  # 2026-01-05 00:00 UTC
HOUR_US = 3600 * S
DAY = Schedule(ZoneInfo("UTC"), parse_windows("mon-fri 06:00-18:00"), "mon-fri 06:00-18:00 (UTC)")
RULES = AlarmRules({"n01": "gate", "n02": "yard"}, confirmed={"gate": DAY})


def event(at_us: int, sectors: tuple[str, ...] = ("gate",), corroborated: bool = False) -> Event:
    return Event(
        id="e1",
        activities=(),
        sectors=sectors,
        target=TargetClass.PERSON,
        confidence=0.9,
        first_us=at_us,
        last_us=at_us,
        touched_us=at_us,
        x_m=0.0,
        y_m=0.0,
        track=None,
        confirmed=True,
        closed=False,
        reasons=(),
        corroborated=corroborated,
    )


def test_policy_of_a_sector_follows_its_schedule_and_is_single_elsewhere() -> None:
    assert policy(RULES, "gate", MONDAY_US + 5 * HOUR_US) == "single"
    assert policy(RULES, "gate", MONDAY_US + 7 * HOUR_US) == "confirmed"
    assert policy(RULES, "yard", MONDAY_US + 7 * HOUR_US) == "single"
    text = policy_text(RULES, "gate", MONDAY_US + 7 * HOUR_US)
    assert text == "confirmed (confirmed: mon-fri 06:00-18:00 (UTC))"


def test_event_of_one_node_is_an_alarm_under_single_and_waits_under_confirmed() -> None:
    by_night, by_day = MONDAY_US + 5 * HOUR_US, MONDAY_US + 7 * HOUR_US
    for at_us, raised in ((by_night, 1), (by_day, 0)):
        _state, changes = step(AlarmState(), RULES, EventChanged(event(at_us)), at_us)
        assert len(changes) == raised
    second = event(by_day, corroborated=True)
    _state, changes = step(AlarmState(), RULES, EventChanged(second), by_day)
    assert len(changes) == 1


def test_event_that_reaches_a_sector_of_the_policy_single_is_an_alarm() -> None:
    by_day = MONDAY_US + 7 * HOUR_US
    assert may_raise(RULES, event(by_day, ("gate", "yard")), by_day)
    assert not may_raise(RULES, replace(event(by_day, ("yard",)), confirmed=False), by_day)


def test_confirmation_table_is_read_and_names_sectors_of_the_site() -> None:
    table = Confirmation(
        sectors=("gate",), time_zone="Europe/Berlin", confirmed=("mon-fri 06:00-18:00",)
    )
    site = Site("yard", {"n01": Node("n01", 0, 0, "gate")}, {"gate": Sector("gate")})
    rules = alarm_rules(alarm_config((), (), (table,)), site)
    assert rules.confirmed["gate"].text == "mon-fri 06:00-18:00 (Europe/Berlin)"
    elsewhere = replace_sector(table, "moon")
    with pytest.raises(ConfigError, match=r"confirmation.sectors: 'moon'"):
        alarm_rules(alarm_config((), (), (elsewhere,)), site)
    with pytest.raises(ValueError, match=r"confirmation\[1\].sectors names 'gate' twice"):
        alarm_config((), (), (table, table))


def replace_sector(table: Confirmation, sector: str) -> Confirmation:
    return Confirmation(sectors=(sector,), time_zone=table.time_zone, confirmed=table.confirmed)
