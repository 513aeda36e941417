# SPDX-License-Identifier: MIT
"""The alarm manager: masks, arming and authorised activity. Each ends, and hides no alarm."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.alarms import AlarmRules, AlarmState, EventChanged, NodeCondition, Tick
from gateway.alarms.rules import EscalationStep
from gateway.alarms.saved import SavedOverrides, saved_overrides, with_overrides
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
from gateway.model.actions.overrides import Purpose
from gateway.model.alarm import AlarmKind
from gateway.service.stages import Stages
from gateway.store.sqlite import SqliteStore
from tests.gateway.alarm_steps import SECTOR_OF, T0, Manager, S, event
from tests.gateway.played_node import ROOT, PlayedNode, write_site

HOUR = 3600 * S
NEVER = Schedule(ZoneInfo("UTC"), (), "never")


def mask(until_s: float = 3600, sectors: tuple[str, ...] = ("west",), **more: object) -> SetMask:
    given = SetMask("eva", "mowing", T0 + int(until_s * S), sectors)
    return replace(given, **more)  # type: ignore[arg-type]  # fields by name


def patrol(from_s: float = 0, until_s: float = 600, sectors: tuple[str, ...] = ("west",)) -> Act:
    return AnnounceWalk("eva", "Ben and Mia", T0 + int(from_s * S), T0 + int(until_s * S), sectors)


@pytest.mark.parametrize(("more_us", "walks"), [(0, 1), (1, 0)])
def test_walk_is_scheduled_a_day_ahead_at_most(more_us: int, walks: int) -> None:
    manager = Manager()
    from_us = T0 + 86_400 * S + more_us
    manager.apply(AnnounceWalk("eva", "Ben and Mia", from_us, from_us + 600 * S, ("west",)))
    assert len(manager.state.walks) == walks


def test_mask_records_and_shows_the_alarm_without_unacknowledged_state() -> None:
    manager = Manager()
    manager.apply(mask())
    assert manager.detect("n1", at_s=10) == ["raised"]
    assert manager.alarm.masked == "mask 1 by eva: mowing"
    state = manager.alarm.is_suppressed, manager.alarm.unacknowledged, manager.alarm.open
    assert state == (True, False, True)
    assert manager.detect("n1", at_s=20, closed=True) == ["cleared"]
    assert manager.state.open == ()


def test_mask_that_expires_returns_a_present_crossing_to_alarm() -> None:
    manager = Manager()
    manager.apply(mask(until_s=60))
    manager.detect("n1", at_s=50)
    assert manager.apply(Tick(), 59) == []
    assert manager.apply(Tick(), 60) == ["returned"]
    assert (manager.alarm.masked, manager.alarm.unacknowledged) == ("", True)
    assert manager.state.masks == ()


def test_mask_removed_early_returns_a_present_crossing_to_alarm_at_once() -> None:
    manager = Manager()
    manager.apply(mask())
    manager.detect("n1", at_s=10)
    assert manager.apply(LiftMask(1, "ben", "mower is gone"), 11) == ["returned"]
    before = manager.state
    assert manager.apply(LiftMask(1, "ben", "again"), 12) == []
    assert manager.state is before


def test_mask_does_not_hide_a_crossing_that_enters_the_next_sector() -> None:
    manager = Manager()
    manager.apply(mask())
    manager.detect("n2", at_s=10)
    assert manager.detect("n2", "n3", at_s=20) == ["new_sector"]
    assert manager.alarm.unacknowledged


def test_mask_does_not_silence_an_alarm_raised_before_it() -> None:
    manager = Manager()
    manager.detect("n1")
    manager.apply(mask(), 1)
    manager.detect("n1", at_s=2)
    assert manager.alarm.unacknowledged
    assert manager.detect("n1", at_s=3, closed=True) == ["cleared"]
    assert manager.alarm.state == "cleared_unacked"


def test_mask_of_the_next_sector_keeps_an_acknowledged_crossing_acknowledged() -> None:
    manager = Manager()
    manager.apply(mask(sectors=("east",)))
    manager.detect("n2", at_s=1)
    manager.apply(Acknowledge(1, "eva"), 2)
    assert manager.detect("n2", "n3", at_s=3) == ["new_sector"]
    assert not manager.alarm.unacknowledged


def test_mask_of_one_node_does_not_mask_its_neighbour() -> None:
    manager = Manager()
    manager.apply(mask(sectors=(), nodes=("n1",)))
    manager.detect("n1", at_s=1, name="e1")
    manager.detect("n2", at_s=2, name="e2")
    assert [alarm.unacknowledged for alarm in manager.state.open] == [False, True]


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
def test_mask_and_disarming_never_silence_system_alarms(kind: AlarmKind) -> None:
    manager = Manager(AlarmRules(SECTOR_OF, {"west": NEVER}))
    manager.apply(mask())
    manager.apply(NodeCondition(kind, "n1", "west", "x", True, "fault"), 1)
    assert manager.alarm.unacknowledged


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
        SetArming("eva", "moon", False, "event", T0 + HOUR),
        SetArming("eva", "west", False, "event", T0),
        WithdrawWalk(1, "eva", "back"),
        ResumeSchedule("eva", "west", "over"),
    ],
)
def test_action_that_is_invalid_changes_nothing(wrong: Act) -> None:
    manager = Manager()
    before = manager.state
    assert manager.apply(wrong) == []
    assert manager.state is before


def test_mask_of_a_future_time_ends_when_the_clock_is_set_back() -> None:
    manager = Manager()
    manager.apply(mask())
    manager.apply(Tick(), -400 * 24 * 3600)
    assert manager.state.masks == ()


def test_disarmed_sector_records_the_alarm_without_unacknowledged_state() -> None:
    manager = Manager(AlarmRules(SECTOR_OF, {"west": NEVER}))
    assert manager.detect("n1") == ["raised"]
    assert manager.alarm.suppressed == "disarmed: west"
    assert not manager.alarm.unacknowledged
    assert manager.detect("n3", at_s=1, name="e2") == ["raised"]
    assert manager.alarm.unacknowledged


def test_schedule_that_arms_returns_a_present_crossing_to_alarm() -> None:
    # T0 is 2026-09-21 14:13:20 UTC, a Monday.
    schedule = Schedule(ZoneInfo("UTC"), parse_windows("mon 14:15-15:00"), "")
    manager = Manager(AlarmRules(SECTOR_OF, {"west": schedule}))
    manager.detect("n1")
    assert manager.alarm.suppressed
    assert manager.apply(Tick(), 99) == []
    assert manager.apply(Tick(), 100) == ["returned"]


def test_arming_override_ends_at_its_time_and_by_an_operator() -> None:
    manager = Manager()
    manager.apply(SetArming("eva", "west", False, "school class", T0 + 60 * S))
    manager.detect("n1", at_s=1)
    assert manager.alarm.suppressed == "disarmed: west"
    assert manager.apply(Tick(), 60) == ["returned"]
    manager.apply(SetArming("eva", "west", False, "school class", T0 + HOUR), 61)
    manager.detect("n1", at_s=62, name="e2")
    assert manager.apply(ResumeSchedule("ben", "west", "they left"), 63) == ["returned"]
    assert manager.state.overrides == ()


def test_alarm_reported_late_of_a_sector_disarmed_at_that_time_stays_suppressed() -> None:
    schedule = Schedule(ZoneInfo("UTC"), parse_windows("mon 14:00-15:00"), "")
    manager = Manager(AlarmRules(SECTOR_OF, {"west": schedule}))
    manager.detect("n1")
    manager.apply(EventChanged(event("n1", at_s=-3600, name="e2")), 1)
    assert (manager.alarm.late, manager.alarm.suppressed) == (True, "disarmed: west")
    assert manager.apply(Tick(), 2) == []


def test_authorised_activity_marks_the_alarm_and_keeps_it() -> None:
    manager = Manager()
    manager.apply(patrol())
    assert manager.detect("n1", at_s=10) == ["raised"]
    assert manager.alarm.walk == "patrol 1: Ben and Mia"
    assert (manager.alarm.priority, manager.alarm.unacknowledged) == (3, True)


def test_authorised_activity_outside_its_sectors_is_a_full_alarm() -> None:
    manager = Manager()
    manager.apply(patrol())
    manager.detect("n2", at_s=10)
    manager.apply(Acknowledge(1, "eva"), 11)
    assert manager.detect("n2", "n3", at_s=20, since_s=10) == ["new_sector"]
    assert (manager.alarm.walk, manager.alarm.priority, manager.alarm.unacknowledged) == (
        "",
        1,
        True,
    )


def test_authorised_activity_after_its_time_is_a_full_alarm() -> None:
    manager = Manager()
    manager.apply(patrol(until_s=30))
    manager.detect("n1", at_s=10)
    manager.apply(Acknowledge(1, "eva"), 11)
    assert manager.detect("n1", at_s=31, since_s=10) == ["returned"]
    assert (manager.alarm.priority, manager.alarm.unacknowledged) == (1, True)


def test_authorised_activity_past_still_marks_an_alarm_reported_late() -> None:
    manager = Manager()
    manager.apply(patrol())
    manager.apply(Tick(), 5000)
    manager.apply(EventChanged(event("n1", at_s=10)), 5001)
    assert manager.alarm.walk == "patrol 1: Ben and Mia"
    manager.apply(Tick(), 2 * 24 * 3600)
    assert manager.state.walks == ()


def test_authorised_activity_withdrawn_does_not_mark_later_alarms() -> None:
    manager = Manager()
    manager.apply(patrol())
    manager.apply(WithdrawWalk(1, "eva", "called back"), 20)
    manager.detect("n1", at_s=30)
    assert manager.alarm.walk == ""


def test_actions_survive_the_store_unchanged() -> None:
    manager = Manager()
    manager.apply(mask(sectors=("west",), nodes=("n3",)))
    manager.apply(patrol())
    manager.apply(replace(patrol(), purpose=Purpose.WALK_TEST, crossings=10))
    manager.apply(SetArming("eva", "east", False, "school class", T0 + HOUR))
    value = text.parse_json(text.format_json(saved_overrides(manager.state)), SavedOverrides)
    assert with_overrides(AlarmState(), value) == replace(manager.state, open=(), last_id=0)


@pytest.mark.parametrize(
    "action",
    [
        mask(),
        LiftMask(1, "eva", "over"),
        patrol(),
        WithdrawWalk(1, "eva", "back"),
        SetArming("eva", "east", True, "rumour", T0 + HOUR),
        ResumeSchedule("eva", "east", "over"),
    ],
)
def test_action_survives_the_audit_unchanged(action: Act) -> None:
    assert act_from_dict(json.loads(text.format_json(act_to_dict(action)))) == action


def test_actions_and_escalation_continue_after_a_restart_and_are_audited(tmp_path: Path) -> None:
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
    second = start()
    assert second.monitor.state.alarms == first.monitor.state.alarms
    entries = store._open_db().execute(
        "SELECT actor, action, subject, reason, until_us FROM audit WHERE actor <> 'system'"
    )
    assert entries.fetchall() == [
        ("eva", "mask.set", "sectors east nodes -", "mowing", T0 + 300 * S),
        ("eva", "walk.announce", "patrol of Ben and Mia in west", "", T0 + 600 * S),
    ]
    changes = [change.change.value for change in second.tick(T0 + 122 * S).alarms]
    assert "escalated" not in changes  # authorised activity has priority 3: no escalation step
    second.tick(T0 + 300 * S)
    store.commit(second.take_writes())
    assert start().monitor.state.alarms.masks == ()
    store.close()
