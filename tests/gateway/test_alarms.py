# SPDX-License-Identifier: MIT
"""The alarm manager: the lifecycle of an alarm, its order in the queue, its escalation."""

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
from tests.gateway.alarm_steps import SECTOR_OF, T0, Manager, S, event

TAMPER = NodeCondition(AlarmKind.TAMPER, "n4", "east", "tamper", True, "n4 reports tamper")
STEPS = (
    EscalationStep(120 * S, "shift leader", 1),
    EscalationStep(300 * S, "duty phone", 2),
)


def test_alarm_of_one_crossing_is_raised_once_and_lists_its_detections() -> None:
    manager = Manager()
    assert manager.detect("n1", "n2") == ["raised"]
    assert manager.detect("n1", "n2", at_s=1) == []
    assert [one.node for one in manager.alarm.detections] == ["n1", "n2"]
    assert manager.alarm.reasons == ("two nodes agree",)


def test_alarm_same_nodes_in_another_order_changes_nothing() -> None:
    manager = Manager()
    manager.detect("n1", "n2")
    assert manager.detect("n2", "n1", at_s=1) == []


def test_alarm_crossing_into_a_new_sector_is_unacknowledged_again() -> None:
    manager = Manager()
    manager.detect("n2")
    manager.apply(Acknowledge(1, "eva"), 1)
    assert manager.detect("n2", "n3", at_s=2) == ["new_sector"]
    assert (manager.alarm.state, manager.alarm.notified_us) == ("active_unacked", T0 + 2 * S)
    assert len(manager.state.open) == 1


@pytest.mark.parametrize("first", ["clear", "acknowledge"])
def test_alarm_stays_open_until_cleared_and_acknowledged_in_either_order(first: str) -> None:
    manager = Manager()
    manager.detect("n1")
    actions = {
        "clear": lambda: manager.detect("n1", at_s=9, closed=True),
        "acknowledge": lambda: manager.apply(Acknowledge(1, "eva", Disposition.TEST), 9),
    }
    actions.pop(first)()
    assert len(manager.state.open) == 1
    actions.popitem()[1]()
    assert manager.state.open == ()
    last = manager.changes[-1].alarm
    assert (last.acknowledged_by, last.disposition) == ("eva", Disposition.TEST)


def test_alarm_acknowledged_leaves_the_others_unacknowledged() -> None:
    manager = Manager()
    manager.detect("n1")
    manager.apply(TAMPER, 1)
    manager.apply(Acknowledge(2, "eva"), 2)
    assert [alarm.acknowledged for alarm in manager.state.open] == [False, True]
    before = manager.state
    assert manager.apply(Acknowledge(99, "eva"), 3) == []
    assert manager.state is before


def test_alarm_disposition_after_acknowledgement_is_accepted() -> None:
    manager = Manager()
    manager.detect("n1")
    manager.apply(Acknowledge(1, "eva"), 1)
    assert manager.apply(Acknowledge(1, "ben"), 2) == []
    assert manager.apply(Acknowledge(1, "ben", Disposition.ANIMAL, "two deer"), 3) == [
        "acknowledged"
    ]
    assert (manager.alarm.disposition, manager.alarm.note) == (Disposition.ANIMAL, "two deer")


def test_alarm_tamper_is_latched_until_it_ends_and_is_acknowledged() -> None:
    manager = Manager()
    assert manager.apply(TAMPER, 1) == ["raised"]
    assert manager.apply(TAMPER, 2) == []
    assert manager.apply(replace(TAMPER, active=False), 3) == ["cleared"]
    assert manager.alarm.state == "cleared_unacked"
    assert manager.apply(TAMPER, 4) == ["again"]
    assert len(manager.state.open) == 1


def test_alarm_of_an_area_is_separate_from_the_intrusion() -> None:
    manager = Manager()
    manager.detect("n1")
    jam = AreaCondition(AlarmKind.JAMMING, "site", ("n1", "n3"), ("west", "east"), True, "jamming")
    assert manager.apply(jam, 1) == ["raised"]
    assert manager.apply(replace(jam, nodes=("n1",)), 2) == []
    assert (manager.alarm.kind, manager.alarm.priority) == (AlarmKind.JAMMING, 1)
    assert manager.apply(replace(jam, active=False, reason=""), 3) == ["cleared"]
    assert manager.alarm.reasons == ("jamming",)


def test_queue_is_sorted_by_unacknowledged_then_priority_then_age() -> None:
    manager = Manager()
    lost = NodeCondition(AlarmKind.NODE_LOST, "n1", "west", "lost", True, "n1 is silent")
    manager.apply(lost, 1)
    manager.detect("n3", at_s=2, name="e1")
    manager.detect("n2", at_s=3, name="e2")
    manager.apply(TAMPER, 4)
    manager.apply(Acknowledge(2, "eva"), 5)
    assert [alarm.id for alarm in queue(manager.state.open)] == [3, 4, 1, 2]


def test_alarm_that_is_closed_can_be_assessed_for_a_week() -> None:
    manager = Manager()
    manager.detect("n1")
    manager.detect("n1", at_s=9, closed=True)
    manager.apply(Acknowledge(1, "eva", Disposition.TEST), 10)
    manager.apply(Tick(), 10 + 7 * 86_400 - 1)
    assert [one.id for one in manager.state.closed] == [1]
    manager.apply(Tick(), 10 + 7 * 86_400)
    assert manager.state.closed == ()


def test_alarm_unacknowledged_is_escalated_step_by_step() -> None:
    manager = Manager(AlarmRules(SECTOR_OF, escalation=STEPS))
    manager.detect("n1")
    assert manager.apply(Tick(), 119) == []
    assert manager.apply(Tick(), 120) == ["escalated"]
    assert (manager.alarm.escalation, manager.alarm.escalated_to) == (1, "shift leader")
    assert manager.apply(Tick(), 299) == []
    assert manager.apply(Tick(), 300) == ["escalated"]
    assert manager.alarm.escalated_to == "duty phone"
    assert manager.apply(Tick(), 9999) == []


def test_alarm_acknowledged_in_time_is_escalated_only_after_a_new_sector() -> None:
    manager = Manager(AlarmRules(SECTOR_OF, escalation=STEPS))
    manager.detect("n2")
    manager.apply(Acknowledge(1, "eva"), 60)
    assert manager.apply(Tick(), 200) == []
    manager.detect("n2", "n3", at_s=210)
    assert manager.apply(Tick(), 329) == []
    assert manager.apply(Tick(), 330) == ["escalated"]


def test_alarm_of_lower_priority_skips_steps_for_higher_priority() -> None:
    manager = Manager(AlarmRules(SECTOR_OF, escalation=STEPS))
    manager.apply(NodeCondition(AlarmKind.NODE_LOST, "n1", "west", "lost", True, "silent"))
    assert manager.apply(Tick(), 200) == []
    assert manager.apply(Tick(), 300) == ["escalated"]
    assert (manager.alarm.escalation, manager.alarm.escalated_to) == (2, "duty phone")


def test_alarm_unacknowledged_is_escalated_after_the_clock_is_set_back() -> None:
    manager = Manager(AlarmRules(SECTOR_OF, escalation=STEPS))
    manager.detect("n1")
    manager.apply(Tick(), -1_000_000)
    assert manager.apply(Tick(), -1_000_000 + 120) == ["escalated"]


def test_alarm_reported_late_has_lower_priority_until_a_present_detection() -> None:
    manager = Manager()
    late = event("n1", at_s=-3600)
    assert manager.apply(EventChanged(late), 0) == ["raised"]
    assert (manager.alarm.late, manager.alarm.priority) == (True, 2)
    assert manager.alarm.reasons[0].startswith("reported late: ")
    manager.apply(Acknowledge(1, "eva"), 1)
    assert manager.detect("n1", at_s=2, since_s=-3600) == ["returned"]
    assert (manager.alarm.late, manager.alarm.priority, manager.alarm.acknowledged) == (
        False,
        1,
        False,
    )


def test_alarm_of_low_confidence_has_lower_priority_until_confidence_is_high() -> None:
    manager = Manager()
    unsure, sure = (replace(event("n1"), confidence=one) for one in (0.7, 0.9))
    assert manager.apply(EventChanged(unsure), 0) == ["raised"]
    assert (manager.alarm.unsure, manager.alarm.priority) == (True, 2)
    manager.apply(Acknowledge(1, "eva"), 1)
    assert manager.apply(EventChanged(sure), 2) == ["returned"]
    assert (manager.alarm.unsure, manager.alarm.priority, manager.alarm.acknowledged) == (
        False,
        1,
        False,
    )
    manager.apply(Acknowledge(1, "eva"), 3)
    assert manager.apply(EventChanged(unsure), 4) == []
    assert (manager.alarm.priority, manager.alarm.acknowledged) == (1, True)


def test_alarm_is_updated_by_a_turn_but_not_by_a_small_change_of_direction() -> None:
    def towards(direction_deg: float) -> EventChanged:
        return EventChanged(replace(event("n1"), track=Track(direction_deg, 1.3)))

    manager = Manager()
    manager.apply(towards(350.0), 0)
    assert manager.apply(towards(20.0), 1) == []
    assert manager.apply(towards(160.0), 2) == ["updated"]
    assert manager.alarm.direction_deg == 160.0


def test_alarm_survives_the_store_unchanged() -> None:
    manager = Manager(AlarmRules(SECTOR_OF, escalation=STEPS))
    manager.detect("n1")
    manager.apply(Tick(), 500)
    manager.apply(Acknowledge(1, "eva", Disposition.WEATHER, "gusts"), 501)
    restored = text.parse_json(text.format_json(manager.alarm), Alarm)
    assert restored == manager.alarm


def test_action_survives_the_audit_unchanged() -> None:
    for action in (Acknowledge(1, "eva", Disposition.OWN_PATROL, "Ben"), Acknowledge(2, "eva")):
        assert act_from_dict(json.loads(text.format_json(act_to_dict(action)))) == action
