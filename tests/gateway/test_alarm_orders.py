# SPDX-License-Identifier: MIT
"""The duty officer: masks, arming and announced walks; every one ends, and hides nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.alarms import AlarmRules, AlarmState, EventChanged, NodeCondition, Tick
from gateway.alarms.rules import EscalationStep
from gateway.alarms.saved import SavedOrders, saved_orders, with_orders
from gateway.alarms.schedule import Schedule, parse_windows
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.model import text
from gateway.model.actions.acts import (
    Acknowledge,
    Act,
    AnnounceWalk,
    LiftMask,
    ResumeSchedule,
    SetArming,
    SetMask,
    WithdrawWalk,
    act_from_dict,
    act_to_dict,
)
from gateway.model.actions.orders import Purpose
from gateway.model.alarm import AlarmKind
from gateway.service.stages import Stages
from gateway.store.sqlite import SqliteStore
from tests.gateway.duty import SECTOR_OF, T0, Desk, S, event
from tests.gateway.played_node import ROOT, PlayedNode, write_site

HOUR = 3600 * S
NEVER = Schedule(ZoneInfo("UTC"), (), "never")


def mask(until_s: float = 3600, sectors: tuple[str, ...] = ("west",), **more: object) -> SetMask:
    given = SetMask("eva", "mowing", T0 + int(until_s * S), sectors)
    return replace(given, **more)  # type: ignore[arg-type]  # fields by name


def patrol(from_s: float = 0, until_s: float = 600, sectors: tuple[str, ...] = ("west",)) -> Act:
    return AnnounceWalk("eva", "Ben and Mia", T0 + int(from_s * S), T0 + int(until_s * S), sectors)


def test_mask_records_the_alarm_shows_it_and_asks_nobody() -> None:
    desk = Desk()
    desk.say(mask())
    assert desk.hear("n1", at_s=10) == ["raised"]
    assert desk.alarm.masked == "mask 1 by eva: mowing"
    state = desk.alarm.is_suppressed, desk.alarm.unacknowledged, desk.alarm.open
    assert state == (True, False, True)
    assert desk.hear("n1", at_s=20, closed=True) == ["cleared"]
    assert desk.state.open == ()


def test_mask_that_ends_lets_what_is_still_there_ask() -> None:
    desk = Desk()
    desk.say(mask(until_s=60))
    desk.hear("n1", at_s=50)
    assert desk.say(Tick(), 59) == []
    assert desk.say(Tick(), 60) == ["returned"]
    assert (desk.alarm.masked, desk.alarm.unacknowledged) == ("", True)
    assert desk.state.masks == ()


def test_mask_lifted_early_lets_what_is_there_ask_at_once() -> None:
    desk = Desk()
    desk.say(mask())
    desk.hear("n1", at_s=10)
    assert desk.say(LiftMask(1, "ben", "mower is gone"), 11) == ["returned"]
    before = desk.state
    assert desk.say(LiftMask(1, "ben", "again"), 12) == []
    assert desk.state is before


def test_mask_does_not_hide_a_crossing_that_goes_on_into_the_next_sector() -> None:
    desk = Desk()
    desk.say(mask())
    desk.hear("n2", at_s=10)
    assert desk.hear("n2", "n3", at_s=20) == ["new_sector"]
    assert desk.alarm.unacknowledged


def test_mask_does_not_silence_an_alarm_that_was_there_before() -> None:
    desk = Desk()
    desk.hear("n1")
    desk.say(mask(), 1)
    desk.hear("n1", at_s=2)
    assert desk.alarm.unacknowledged
    assert desk.hear("n1", at_s=3, closed=True) == ["cleared"]
    assert desk.alarm.state == "cleared_unacked"


def test_mask_reached_by_an_acknowledged_crossing_does_not_ask_again() -> None:
    desk = Desk()
    desk.say(mask(sectors=("east",)))
    desk.hear("n2", at_s=1)
    desk.say(Acknowledge(1, "eva"), 2)
    assert desk.hear("n2", "n3", at_s=3) == ["new_sector"]
    assert not desk.alarm.unacknowledged


def test_mask_of_one_node_leaves_its_neighbour() -> None:
    desk = Desk()
    desk.say(mask(sectors=(), nodes=("n1",)))
    desk.hear("n1", at_s=1, name="e1")
    desk.hear("n2", at_s=2, name="e2")
    assert [alarm.unacknowledged for alarm in desk.state.open] == [False, True]


@pytest.mark.parametrize(
    "kind",
    [
        AlarmKind.NODE_LOST,
        AlarmKind.TAMPER,
        AlarmKind.FORGERY,
        AlarmKind.NODE_FAULT,
        AlarmKind.LOW_BATTERY,
    ],
)
def test_mask_and_disarming_never_silence_the_line_itself(kind: AlarmKind) -> None:
    desk = Desk(AlarmRules(SECTOR_OF, {"west": NEVER}))
    desk.say(mask())
    desk.say(NodeCondition(kind, "n1", "west", "x", True, "trouble"), 1)
    assert desk.alarm.unacknowledged


@pytest.mark.parametrize(
    "wrong",
    [
        mask(until_s=0),
        mask(until_s=-1),
        mask(until_s=8 * 24 * 3600),
        mask(sectors=()),
        mask(sectors=("moon",)),
        mask(sectors=(), nodes=("n9",)),
        patrol(until_s=0),
        patrol(from_s=100, until_s=50),
        patrol(until_s=13 * 3600),
        patrol(from_s=25 * 3600, until_s=26 * 3600),
        patrol(sectors=()),
        patrol(sectors=("moon",)),
        SetArming("eva", "moon", False, "party", T0 + HOUR),
        SetArming("eva", "west", False, "party", T0),
        WithdrawWalk(1, "eva", "back"),
        ResumeSchedule("eva", "west", "over"),
    ],
)
def test_order_that_must_not_be_changes_nothing(wrong: Act) -> None:
    desk = Desk()
    before = desk.state
    assert desk.say(wrong) == []
    assert desk.state is before


def test_mask_set_in_a_future_that_the_clock_left_ends() -> None:
    desk = Desk()
    desk.say(mask())
    desk.say(Tick(), -400 * 24 * 3600)
    assert desk.state.masks == ()


def test_disarmed_sector_is_recorded_but_not_sounded() -> None:
    desk = Desk(AlarmRules(SECTOR_OF, {"west": NEVER}))
    assert desk.hear("n1") == ["raised"]
    assert desk.alarm.suppressed == "disarmed: west"
    assert not desk.alarm.unacknowledged
    assert desk.hear("n3", at_s=1, name="e2") == ["raised"]
    assert desk.alarm.unacknowledged


def test_schedule_that_arms_lets_what_is_still_there_ask() -> None:
    # T0 is 2026-09-21 14:13:20 UTC, a Monday.
    at = Schedule(ZoneInfo("UTC"), parse_windows("mon 14:15-15:00"), "")
    desk = Desk(AlarmRules(SECTOR_OF, {"west": at}))
    desk.hear("n1")
    assert desk.alarm.suppressed
    assert desk.say(Tick(), 99) == []
    assert desk.say(Tick(), 100) == ["returned"]


def test_arming_against_the_schedule_ends_by_itself_and_by_word() -> None:
    desk = Desk()
    desk.say(SetArming("eva", "west", False, "school class", T0 + 60 * S))
    desk.hear("n1", at_s=1)
    assert desk.alarm.suppressed == "disarmed: west"
    assert desk.say(Tick(), 60) == ["returned"]
    desk.say(SetArming("eva", "west", False, "school class", T0 + HOUR), 61)
    desk.hear("n1", at_s=62, name="e2")
    assert desk.say(ResumeSchedule("ben", "west", "they left"), 63) == ["returned"]
    assert desk.state.overrides == ()


def test_late_alarm_of_a_sector_disarmed_then_stays_suppressed() -> None:
    at = Schedule(ZoneInfo("UTC"), parse_windows("mon 14:00-15:00"), "")
    desk = Desk(AlarmRules(SECTOR_OF, {"west": at}))
    desk.hear("n1")
    desk.say(EventChanged(event("n1", at_s=-3600, name="e2")), 1)
    assert (desk.alarm.late, desk.alarm.suppressed) == (True, "disarmed: west")
    assert desk.say(Tick(), 2) == []


def test_walk_announced_marks_the_alarm_and_drops_nothing() -> None:
    desk = Desk()
    desk.say(patrol())
    assert desk.hear("n1", at_s=10) == ["raised"]
    assert desk.alarm.walk == "patrol 1: Ben and Mia"
    assert (desk.alarm.priority, desk.alarm.unacknowledged) == (3, True)


def test_walk_that_leaves_its_sectors_is_an_alarm_like_any_other() -> None:
    desk = Desk()
    desk.say(patrol())
    desk.hear("n2", at_s=10)
    desk.say(Acknowledge(1, "eva"), 11)
    assert desk.hear("n2", "n3", at_s=20, since_s=10) == ["new_sector"]
    assert (desk.alarm.walk, desk.alarm.priority, desk.alarm.unacknowledged) == ("", 1, True)


def test_walk_that_outstays_its_time_is_an_alarm_like_any_other() -> None:
    desk = Desk()
    desk.say(patrol(until_s=30))
    desk.hear("n1", at_s=10)
    desk.say(Acknowledge(1, "eva"), 11)
    assert desk.hear("n1", at_s=31, since_s=10) == ["returned"]
    assert (desk.alarm.priority, desk.alarm.unacknowledged) == (1, True)


def test_walk_told_late_still_explains_what_happened_then() -> None:
    desk = Desk()
    desk.say(patrol())
    desk.say(Tick(), 5000)
    desk.say(EventChanged(event("n1", at_s=10)), 5001)
    assert desk.alarm.walk == "patrol 1: Ben and Mia"
    desk.say(Tick(), 2 * 24 * 3600)
    assert desk.state.walks == ()


def test_walk_withdrawn_explains_only_what_was_before() -> None:
    desk = Desk()
    desk.say(patrol())
    desk.say(WithdrawWalk(1, "eva", "called back"), 20)
    desk.hear("n1", at_s=30)
    assert desk.alarm.walk == ""


def test_orders_survive_the_store_unchanged() -> None:
    desk = Desk()
    desk.say(mask(sectors=("west",), nodes=("n3",)))
    desk.say(patrol())
    desk.say(replace(patrol(), purpose=Purpose.WALK_TEST, crossings=10))
    desk.say(SetArming("eva", "east", False, "school class", T0 + HOUR))
    value = text.parse_json(text.format_json(saved_orders(desk.state)), SavedOrders)
    assert with_orders(AlarmState(), value) == replace(desk.state, open=(), last_id=0)


@pytest.mark.parametrize(
    "act",
    [
        mask(),
        LiftMask(1, "eva", "over"),
        patrol(),
        WithdrawWalk(1, "eva", "back"),
        SetArming("eva", "east", True, "rumour", T0 + HOUR),
        ResumeSchedule("eva", "east", "over"),
    ],
)
def test_order_survives_the_audit_unchanged(act: Act) -> None:
    assert act_from_dict(json.loads(text.format_json(act_to_dict(act)))) == act


def test_orders_and_escalation_go_on_after_a_restart_and_are_audited(tmp_path: Path) -> None:
    write_site(tmp_path)
    site = load_site(tmp_path / "site.toml")
    sectors = {node.id: node.sector for node in site.nodes.values()}
    rules = AlarmRules(sectors, escalation=(EscalationStep(120 * S, "shift leader"),))
    store, nodes = SqliteStore(None), [PlayedNode(f"n0{i}") for i in range(1, 5)]

    def start() -> Stages:
        return Stages(site, site_keys(site, ROOT), store.load(), alarm_rules=rules)

    first = start()
    for node in nodes:
        first.uplink(T0, node.up, node.hello(0))
    assert first.take(T0, "eva", replace(mask(until_s=300), sectors=("east",))).done
    assert first.take(T0 + S, "eva", patrol()).done
    assert not first.take(T0 + S, "eva", mask(sectors=("moon",))).done
    for node in nodes[:2]:
        first.uplink(T0 + 2 * S, node.up, node.detection(1000))
    assert [alarm.walk for alarm in first.monitor.state.alarms.open] == ["patrol 2: Ben and Mia"]
    store.commit(first.take_writes())
    again = start()
    assert again.monitor.state.alarms == first.monitor.state.alarms
    entries = store._open_db().execute(
        "SELECT actor, action, subject, reason, until_us FROM audit WHERE actor <> 'system'"
    )
    assert entries.fetchall() == [
        ("eva", "mask.set", "sectors east nodes -", "mowing", T0 + 300 * S),
        ("eva", "walk.announce", "patrol of Ben and Mia in west", "", T0 + 600 * S),
    ]
    told = [change.change.value for change in again.tick(T0 + 122 * S).alarms]
    assert "escalated" not in told  # of priority 3: the step is for what nobody announced
    again.tick(T0 + 300 * S)
    store.commit(again.take_writes())
    assert start().monitor.state.alarms.masks == ()
    store.close()
