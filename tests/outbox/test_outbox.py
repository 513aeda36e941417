# SPDX-License-Identifier: MIT
"""The outbox: what is sent to which recipient, how often, and what a restart finds."""

from __future__ import annotations

import json
from typing import Any

from gateway.model.alarm import Change
from gateway.outbox.notification import delayed
from gateway.outbox.outbox import MAX_PENDING, MAX_RECENT, Channel, Delivery, Outbox, Status
from gateway.store.interface import Snapshot, Writes
from tests.outbox.deliveries import T0, S, changed


def box(*channels: Channel, chained: list[Delivery] | None = None) -> Outbox:
    chain = chained.append if chained is not None else lambda _delivery: None
    return Outbox("yard", channels or (Channel("phone", "webhook", per_minute=600),), chain)


def kept(outbox: Outbox, state: dict[str, str] | None = None) -> dict[str, str]:
    """State rows as a store would hold them."""
    writes = Writes()
    outbox.collect(writes)
    rows = {**(state or {}), **writes.state}
    return {name: value for name, value in rows.items() if value}


def body(delivery: Delivery) -> dict[str, Any]:
    return dict(json.loads(delivery.body))


def test_outbox_alarm_raised_is_described_in_text_and_fields() -> None:
    (delivery,) = box().offer([changed(7)], T0)
    value = body(delivery)
    assert value["title"] == "yard: person in west"
    assert "two nodes agree" in value["text"] and "n01, n02" in value["text"]
    assert (value["alarm"], value["delivery"], value["priority"]) == (7, delivery.id, 1)


def test_outbox_changes_that_only_refine_are_not_notified() -> None:
    quiet = (Change.UPDATED, Change.ACKNOWLEDGED, Change.CLEARED)
    assert box().offer([changed(change=change) for change in quiet], T0) == []


def test_outbox_masked_or_suppressed_alarm_is_not_notified() -> None:
    assert box().offer([changed(masked="mowing"), changed(suppressed="test")], T0) == []


def test_outbox_alarm_less_urgent_than_the_channel_wants_is_not_sent_there() -> None:
    outbox = box(Channel("phone", "ntfy", priority=1), Channel("mail", "email", priority=3))
    sent = outbox.offer([changed(priority=2)], T0)
    assert [delivery.channel for delivery in sent] == ["mail"]


def test_outbox_escalation_to_a_notifier_by_name_goes_there_only() -> None:
    outbox = box(Channel("phone", "ntfy"), Channel("chief", "email", priority=1))
    change = changed(change=Change.ESCALATED, priority=2, escalation=1, escalated_to="chief")
    assert [one.channel for one in outbox.offer([change], T0)] == ["chief"]
    change = changed(2, Change.ESCALATED, escalation=1, escalated_to="the sergeant")
    assert {one.channel for one in outbox.offer([change], T0)} == {"phone", "chief"}


def test_outbox_same_change_again_within_the_repeat_time_is_sent_once() -> None:
    outbox = box(Channel("phone", "webhook", repeat_us=300 * S, per_minute=600))
    flaps = [changed(change=Change.AGAIN)] * 5
    assert len(outbox.offer(flaps, T0)) == 1
    assert outbox.counts["phone"]["repeated"] == 4
    assert len(outbox.offer(flaps[:1], T0 + 301 * S)) == 1


def test_outbox_new_sector_of_the_same_alarm_is_sent_each_time() -> None:
    changes = [
        changed(change=Change.SECTOR, sectors=("west", "gate")),
        changed(change=Change.SECTOR, sectors=("west", "gate", "east")),
    ]
    assert len(box().offer(changes, T0)) == 2


def test_outbox_storm_of_alarms_is_limited_and_the_next_one_states_by_how_many() -> None:
    chained: list[Delivery] = []
    outbox = box(Channel("phone", "webhook", per_minute=6), chained=chained)
    sent = outbox.offer([changed(number) for number in range(1, 51)], T0)
    assert len(sent) == 6
    assert [one.status for one in chained] == [Status.LIMITED] * 44
    (later,) = outbox.offer([changed(99)], T0 + 11 * S)
    assert body(later)["held_back"] == 44
    assert "44 more were held back" in body(later)["text"]
    (after,) = outbox.offer([changed(100)], T0 + 22 * S)
    assert "held_back" not in body(after)


def test_outbox_full_drops_the_oldest_of_the_least_urgent_and_records_it() -> None:
    chained: list[Delivery] = []
    outbox = box(chained=chained)
    outbox.offer([changed(1, priority=3), changed(2, priority=1), changed(3, priority=3)], T0)
    for number in range(4, MAX_PENDING + 2):
        outbox.offer([changed(number, priority=2)], T0 + number * S)
    assert len(outbox.pending) == MAX_PENDING
    assert [(one.alarm_id, one.status) for one in chained] == [(1, Status.DROPPED)]


def test_outbox_restarted_goes_on_with_what_was_pending_and_forgets_no_record() -> None:
    outbox = box()
    first, second = outbox.offer([changed(1), changed(2)], T0)
    outbox.settle(T0 + S, first.id, Status.SENT, 1)
    again = box()
    again.restore(Snapshot(state=kept(outbox)))
    assert list(again.pending) == [second.id]
    assert body(again.pending[second.id])["alarm"] == 2
    assert [(one.id, one.status, one.body) for one in again.recent] == [(first.id, Status.SENT, "")]
    (third,) = again.offer([changed(3)], T0 + 2 * S)
    assert third.id > second.id


def test_outbox_of_an_older_store_uses_no_number_twice() -> None:
    """A receiver takes a second body with the same number for a copy."""
    outbox = box()
    outbox.offer([changed(1)], T0)
    older = kept(outbox)
    numbers = [one.id for at in range(20) for one in outbox.offer([changed(2 + at)], T0 + at * S)]
    for state in (older, {}):
        again = box()
        again.restore(Snapshot(state=state))
        (next_one,) = again.offer([changed(99)], T0 + 20 * S)
        assert next_one.id > max(numbers)


def test_outbox_restarted_without_the_connector_ends_what_was_pending_for_it() -> None:
    outbox = box(Channel("pager", "webhook"))
    outbox.offer([changed(1)], T0)
    chained: list[Delivery] = []
    again = box(chained=chained)
    again.restore(Snapshot(state=kept(outbox)))
    assert not again.pending
    assert [(one.status, one.problem) for one in chained] == [(Status.DROPPED, "no such connector")]


def test_outbox_rows_of_a_long_run_stay_few() -> None:
    outbox, state = box(), dict[str, str]()
    for number in range(1, MAX_RECENT + 100):
        (delivery,) = outbox.offer([changed(number)], T0 + number * S)
        state = kept(outbox, state)
        outbox.settle(T0 + number * S, delivery.id, Status.SENT, 1)
        state = kept(outbox, state)
    assert sum(name.startswith("delivery:") for name in state) == MAX_RECENT


def test_outbox_settled_twice_counts_once() -> None:
    outbox = box()
    (delivery,) = outbox.offer([changed(1)], T0)
    outbox.settle(T0, delivery.id, Status.SENT, 1)
    outbox.settle(T0, delivery.id, Status.FAILED, 2)
    assert outbox.counts["phone"] == {"sent": 1}


def test_outbox_receipt_and_last_delivery_survive_a_restart() -> None:
    outbox = box()
    (first, second) = outbox.offer([changed(1), changed(2)], T0)
    outbox.settle(T0 + S, first.id, Status.SENT, 1, "answered 204")
    outbox.settle(T0 + 2 * S, second.id, Status.FAILED, 12, "no answer in time")
    later = box()
    later.restore(Snapshot(state=kept(outbox)))
    assert [(one.receipt, one.problem) for one in later.recent] == [
        ("answered 204", ""),
        ("", "no answer in time"),
    ]
    assert later.sent_us == {"phone": T0 + S}


def test_outbox_alarm_in_doubt_is_sent_as_perhaps_and_later_as_more_urgent() -> None:
    outbox = box()
    (first,) = outbox.offer([changed(unsure=True, priority=2)], T0)
    (second,) = outbox.offer([changed(change=Change.RETURNED)], T0 + S)
    assert body(first)["title"] == "yard: perhaps person in west"
    assert body(second)["title"] == "yard: more urgent now: person in west"


CHIEF, DUTY = "chief@example.net", "duty@example.net"


def mail(*recipients: str) -> Channel:
    return Channel("mail", "email", per_minute=600, recipients=recipients)


def test_outbox_each_recipient_has_a_delivery_and_a_result_of_its_own() -> None:
    chained: list[Delivery] = []
    outbox = box(mail(CHIEF, DUTY), chained=chained)
    first, second = outbox.offer([changed(1)], T0)
    assert [body(one)["to"] for one in (first, second)] == [CHIEF, DUTY]
    outbox.settle(T0 + S, first.id, Status.SENT, 1, "accepted")
    again = box(mail(CHIEF, DUTY), chained=chained)
    again.restore(Snapshot(state=kept(outbox)))
    assert [one.recipient for one in again.pending.values()] == [DUTY]
    again.settle(T0 + S, second.id, Status.FAILED, 150, "mail server answered 550")
    assert [(one.recipient, one.status) for one in chained] == [
        (CHIEF, Status.SENT),
        (DUTY, Status.FAILED),
    ]


def test_outbox_test_goes_to_every_recipient() -> None:
    outbox = box(mail(CHIEF, DUTY))
    assert [one.recipient for one in outbox.test("mail", "eva", T0)] == [CHIEF, DUTY]
    assert outbox.test("mail", "eva", T0) == []  # one is under way


def test_outbox_recipient_that_is_gone_from_the_configuration_ends_what_waits_for_it() -> None:
    outbox = box(mail(CHIEF, DUTY))
    outbox.offer([changed(1)], T0)
    rows = kept(outbox)
    outbox.set_channels([mail(DUTY)], T0)
    assert [one.recipient for one in outbox.pending.values()] == [DUTY]
    chained: list[Delivery] = []
    again = box(mail(DUTY), chained=chained)
    again.restore(Snapshot(state=rows))
    assert [(one.recipient, one.problem) for one in chained] == [(CHIEF, "no such recipient")]


def test_outbox_waiting_delivery_of_a_version_without_recipients_goes_to_each() -> None:
    earlier = box(Channel("mail", "email", per_minute=600))
    earlier.offer([changed(1)], T0)
    later = box(mail(CHIEF, DUTY))
    later.restore(Snapshot(state=kept(earlier)))
    assert [body(one)["to"] for one in later.pending.values()] == [CHIEF, DUTY]
    rows = kept(later, kept(earlier))
    assert sum(name.startswith("delivery:") for name in rows) == 2


def test_notification_that_arrives_late_states_by_how_much() -> None:
    (delivery,) = box().offer([changed()], T0)
    at_us = body(delivery)["at_us"]
    assert delayed(body(delivery), at_us + 119 * S) == body(delivery)
    late = delayed(body(delivery), at_us + 7_384 * S)
    assert (late["title"], late["late_s"]) == ("2 h 3 min late: yard: person in west", 7_384)
