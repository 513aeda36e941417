# SPDX-License-Identifier: MIT
"""The duty officer: the lifecycle of an alarm, its order in the queue, its escalation."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.alarms import AlarmRules, AreaCondition, EventChanged, NodeCondition, Tick
from gateway.alarms.rules import EscalationStep
from gateway.alarms.state import queue
from gateway.model import text
from gateway.model.actions.acts import Acknowledge, act_from_dict, act_to_dict
from gateway.model.alarm import Alarm, AlarmKind, Disposition
from gateway.model.event import Track
from tests.gateway.duty import SECTOR_OF, T0, Desk, S, event

TAMPER = NodeCondition(AlarmKind.TAMPER, "n4", "east", "tamper", True, "n4 reports tamper")
STEPS = (
    EscalationStep(120 * S, "shift leader", 1),
    EscalationStep(300 * S, "duty phone", 2),
)


def test_alarm_of_one_crossing_is_raised_once_and_names_its_detections() -> None:
    desk = Desk()
    assert desk.hear("n1", "n2") == ["raised"]
    assert desk.hear("n1", "n2", at_s=1) == []
    assert [one.node for one in desk.alarm.detections] == ["n1", "n2"]
    assert desk.alarm.reasons == ("two nodes agree",)


def test_alarm_nodes_in_another_order_are_no_news() -> None:
    desk = Desk()
    desk.hear("n1", "n2")
    assert desk.hear("n2", "n1", at_s=1) == []


def test_alarm_new_sector_is_told_and_asks_again() -> None:
    desk = Desk()
    desk.hear("n2")
    desk.say(Acknowledge(1, "eva"), 1)
    assert desk.hear("n2", "n3", at_s=2) == ["new_sector"]
    assert (desk.alarm.state, desk.alarm.notified_us) == ("active_unacked", T0 + 2 * S)
    assert len(desk.state.open) == 1


@pytest.mark.parametrize("first", ["clear", "acknowledge"])
def test_alarm_stays_open_until_cleared_and_acknowledged_in_either_order(first: str) -> None:
    desk = Desk()
    desk.hear("n1")
    acts = {
        "clear": lambda: desk.hear("n1", at_s=9, closed=True),
        "acknowledge": lambda: desk.say(Acknowledge(1, "eva", Disposition.TEST), 9),
    }
    acts.pop(first)()
    assert len(desk.state.open) == 1
    acts.popitem()[1]()
    assert desk.state.open == ()
    last = desk.told[-1].alarm
    assert (last.acknowledged_by, last.disposition) == ("eva", Disposition.TEST)


def test_alarm_acknowledging_one_leaves_the_others() -> None:
    desk = Desk()
    desk.hear("n1")
    desk.say(TAMPER, 1)
    desk.say(Acknowledge(2, "eva"), 2)
    assert [alarm.acknowledged for alarm in desk.state.open] == [False, True]
    before = desk.state
    assert desk.say(Acknowledge(99, "eva"), 3) == []
    assert desk.state is before


def test_alarm_disposition_after_acknowledgement_is_taken() -> None:
    desk = Desk()
    desk.hear("n1")
    desk.say(Acknowledge(1, "eva"), 1)
    assert desk.say(Acknowledge(1, "ben"), 2) == []
    assert desk.say(Acknowledge(1, "ben", Disposition.ANIMAL, "two deer"), 3) == ["acknowledged"]
    assert (desk.alarm.disposition, desk.alarm.note) == (Disposition.ANIMAL, "two deer")


def test_alarm_tamper_is_latched_until_it_ends_and_is_acknowledged() -> None:
    desk = Desk()
    assert desk.say(TAMPER, 1) == ["raised"]
    assert desk.say(TAMPER, 2) == []
    assert desk.say(replace(TAMPER, active=False), 3) == ["cleared"]
    assert desk.alarm.state == "cleared_unacked"
    assert desk.say(TAMPER, 4) == ["again"]
    assert len(desk.state.open) == 1


def test_alarm_of_an_area_is_one_of_its_own() -> None:
    desk = Desk()
    desk.hear("n1")
    jam = AreaCondition(AlarmKind.JAMMING, "site", ("n1", "n3"), ("west", "east"), True, "jamming")
    assert desk.say(jam, 1) == ["raised"]
    assert desk.say(replace(jam, nodes=("n1",)), 2) == []
    assert (desk.alarm.kind, desk.alarm.priority) == (AlarmKind.JAMMING, 1)
    assert desk.say(replace(jam, active=False, reason=""), 3) == ["cleared"]
    assert desk.alarm.reasons == ("jamming",)


def test_queue_is_by_what_asks_then_priority_then_age() -> None:
    desk = Desk()
    lost = NodeCondition(AlarmKind.NODE_LOST, "n1", "west", "lost", True, "n1 is silent")
    desk.say(lost, 1)
    desk.hear("n3", at_s=2, name="e1")
    desk.hear("n2", at_s=3, name="e2")
    desk.say(TAMPER, 4)
    desk.say(Acknowledge(2, "eva"), 5)
    assert [alarm.id for alarm in queue(desk.state.open)] == [3, 4, 1, 2]


def test_alarm_nobody_acknowledges_is_escalated_step_by_step() -> None:
    desk = Desk(AlarmRules(SECTOR_OF, escalation=STEPS))
    desk.hear("n1")
    assert desk.say(Tick(), 119) == []
    assert desk.say(Tick(), 120) == ["escalated"]
    assert (desk.alarm.escalation, desk.alarm.escalated_to) == (1, "shift leader")
    assert desk.say(Tick(), 299) == []
    assert desk.say(Tick(), 300) == ["escalated"]
    assert desk.alarm.escalated_to == "duty phone"
    assert desk.say(Tick(), 9999) == []


def test_alarm_acknowledged_in_time_is_not_escalated_and_a_new_sector_begins_anew() -> None:
    desk = Desk(AlarmRules(SECTOR_OF, escalation=STEPS))
    desk.hear("n2")
    desk.say(Acknowledge(1, "eva"), 60)
    assert desk.say(Tick(), 200) == []
    desk.hear("n2", "n3", at_s=210)
    assert desk.say(Tick(), 329) == []
    assert desk.say(Tick(), 330) == ["escalated"]


def test_alarm_of_lower_priority_passes_over_the_steps_above_it() -> None:
    desk = Desk(AlarmRules(SECTOR_OF, escalation=STEPS))
    desk.say(NodeCondition(AlarmKind.NODE_LOST, "n1", "west", "lost", True, "silent"))
    assert desk.say(Tick(), 200) == []
    assert desk.say(Tick(), 300) == ["escalated"]
    assert (desk.alarm.escalation, desk.alarm.escalated_to) == (2, "duty phone")


def test_alarm_waiting_when_the_clock_is_set_back_is_still_escalated() -> None:
    desk = Desk(AlarmRules(SECTOR_OF, escalation=STEPS))
    desk.hear("n1")
    desk.say(Tick(), -1_000_000)
    assert desk.say(Tick(), -1_000_000 + 120) == ["escalated"]


def test_alarm_told_late_stands_behind_until_somebody_is_there_now() -> None:
    desk = Desk()
    late = event("n1", at_s=-3600)
    assert desk.say(EventChanged(late), 0) == ["raised"]
    assert (desk.alarm.late, desk.alarm.priority) == (True, 2)
    assert desk.alarm.reasons[0].startswith("reported late: ")
    desk.say(Acknowledge(1, "eva"), 1)
    assert desk.hear("n1", at_s=2, since_s=-3600) == ["returned"]
    assert (desk.alarm.late, desk.alarm.priority, desk.alarm.acknowledged) == (False, 1, False)


def test_alarm_of_little_confidence_stands_behind_until_it_is_sure_and_stays_so() -> None:
    desk = Desk()
    unsure, sure = (replace(event("n1"), confidence=one) for one in (0.7, 0.9))
    assert desk.say(EventChanged(unsure), 0) == ["raised"]
    assert (desk.alarm.unsure, desk.alarm.priority) == (True, 2)
    desk.say(Acknowledge(1, "eva"), 1)
    assert desk.say(EventChanged(sure), 2) == ["returned"]
    assert (desk.alarm.unsure, desk.alarm.priority, desk.alarm.acknowledged) == (False, 1, False)
    desk.say(Acknowledge(1, "eva"), 3)
    assert desk.say(EventChanged(unsure), 4) == []
    assert (desk.alarm.priority, desk.alarm.acknowledged) == (1, True)


def test_alarm_whose_direction_turns_is_told_anew_and_one_that_drifts_is_not() -> None:
    def towards(direction_deg: float) -> EventChanged:
        return EventChanged(replace(event("n1"), track=Track(direction_deg, 1.3)))

    desk = Desk()
    desk.say(towards(350.0), 0)
    assert desk.say(towards(20.0), 1) == []
    assert desk.say(towards(160.0), 2) == ["updated"]
    assert desk.alarm.direction_deg == 160.0


def test_alarm_survives_the_store_unchanged() -> None:
    desk = Desk(AlarmRules(SECTOR_OF, escalation=STEPS))
    desk.hear("n1")
    desk.say(Tick(), 500)
    desk.say(Acknowledge(1, "eva", Disposition.WEATHER, "gusts"), 501)
    again = text.parse_json(text.format_json(desk.alarm), Alarm)
    assert again == desk.alarm


def test_act_survives_the_audit_unchanged() -> None:
    for act in (Acknowledge(1, "eva", Disposition.OWN_PATROL, "Ben"), Acknowledge(2, "eva")):
        assert act_from_dict(json.loads(text.format_json(act_to_dict(act)))) == act
