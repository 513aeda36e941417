# SPDX-License-Identifier: MIT
"""Outbox: pending deliveries, their channels and results. Pure; a part of monitor.

A delivery is committed together with the change of the alarm that caused it. If the gateway is
killed before it has delivered, it delivers after its restart: at least once.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from gateway.limits import TokenBucket
from gateway.model import text
from gateway.model.alarm import AlarmChange, Change
from gateway.model.numbering import floor_at
from gateway.outbox.notification import NOTIFIED, TEST, Locate, describe, describe_test
from gateway.store.interface import Snapshot, Writes

MAX_PENDING = 256  # of one recipient; if there are more, the oldest of the least urgent is dropped
MAX_RECENT = 1000
_MAX_REMEMBERED = 1024
_ROW = "delivery:"  # names of state rows
_LAST = "last_delivery"
_PER_S = 16
_NO_CONNECTOR = "no such connector"


class Status(Enum):
    """The result of a delivery."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"  # refused permanently, or tried for too long
    DROPPED = "dropped"  # too many were waiting
    LIMITED = "limited"  # the channel's rate was used up; the next one states how many
    REPEATED = "repeated"  # the same was sent a moment ago


@dataclass(frozen=True, slots=True)
class Channel:
    """What the outbox knows of a notifier. It gets no alarms less urgent than `priority`.

    Each of its `recipients` gets a delivery; the one of a notifier without any is "".
    """

    name: str
    kind: str
    priority: int = 3
    repeat_us: int = 300_000_000
    per_minute: int = 10
    recipients: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification for one recipient; `body` is JSON, and is removed when it is over.

    A test is about alarm 0.
    """

    id: int
    channel: str
    alarm_id: int
    change: str
    priority: int
    at_us: int
    body: str = ""
    status: Status = Status.PENDING
    attempts: int = 0
    problem: str = ""
    done_us: int = 0
    receipt: str = ""  # the answer of the other side, without its text
    recipient: str = ""

    @property
    def test(self) -> bool:
        """A test of the connector: one attempt."""
        return self.change == TEST


class _Rate:
    """Of one channel; `held_back` counts since the last notification that went out."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.bucket = TokenBucket(per_minute / 60, per_minute)
        self.held_back = 0


class Outbox:
    """Holds pending deliveries; `chain` writes an entry of the audit for each that is over."""

    def __init__(
        self,
        site: str,
        channels: Sequence[Channel] = (),
        chain: Callable[[Delivery], None] = lambda _delivery: None,
        locate: Locate = lambda _x_m, _y_m: None,
    ) -> None:
        self.pending: dict[int, Delivery] = {}
        self.recent: deque[Delivery] = deque(maxlen=MAX_RECENT)
        self.channels = {channel.name: channel for channel in channels}
        self.counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.sent_us: dict[str, int] = {}  # when a channel delivered last
        self._site = site
        self._locate = locate
        self._chain = chain
        self._last_id = 0
        self._rates = {c.name: _Rate(c.per_minute) for c in channels}
        self._known: dict[tuple[str, int, str, tuple[str, ...], int], int] = {}
        self._rows: dict[str, str] = {}

    def offer(self, changes: Iterable[AlarmChange], now_us: int) -> list[Delivery]:
        """What is to be delivered because of these changes."""
        if not self.channels:
            return []
        fresh = []
        for change in changes:
            if change.change not in NOTIFIED or change.alarm.is_suppressed:
                continue
            for channel in self._wanted(change):
                fresh += self._make(channel, change, now_us)
        return [delivery for delivery in fresh if delivery.id in self.pending]

    def test(self, channel: str, by: str, now_us: int) -> list[Delivery]:
        """A test to each recipient, like any other delivery, past the rate limit; none while one is
        under way."""
        if any(one.test and one.channel == channel for one in self.pending.values()):
            return []
        body = describe_test(self._site, channel, by, now_us)
        fresh = self._address(channel, Delivery(0, channel, 0, TEST, 3, now_us), body)
        return [delivery for delivery in fresh if delivery.id in self.pending]

    def set_channels(self, channels: Sequence[Channel], now_us: int) -> None:
        """Use these channels. Pending deliveries of a removed channel are over."""
        self.channels = {channel.name: channel for channel in channels}
        for channel in channels:
            known = self._rates.get(channel.name)
            if known is None or known.per_minute != channel.per_minute:
                self._rates[channel.name] = _Rate(channel.per_minute)
        for delivery in list(self.pending.values()):
            if gone := self._gone(delivery):
                self.settle(now_us, delivery.id, Status.DROPPED, 0, gone)

    def settle(
        self, now_us: int, number: int, status: Status, attempts: int, words: str = ""
    ) -> None:
        """End a pending delivery; any other is ignored. `words` are the receipt if it was sent,
        else the problem."""
        delivery = self.pending.pop(number, None)
        if delivery is not None:
            self._over(
                replace(
                    delivery,
                    status=status,
                    attempts=attempts,
                    receipt=words if status is Status.SENT else "",
                    problem="" if status is Status.SENT else words,
                    done_us=now_us,
                )
            )

    def collect(self, writes: Writes) -> None:
        """Deliver the rows since the last call."""
        if self._rows:
            writes.state |= {**self._rows, _LAST: str(self._last_id)}
            self._rows = {}

    def restore(self, snapshot: Snapshot) -> None:
        """Restore the state of an earlier run. Deliveries of a removed channel are over."""
        self._last_id = int(snapshot.state.get(_LAST, "0"))
        found = (v for n, v in snapshot.state.items() if n.startswith(_ROW) and v)
        for delivery in sorted(map(_from_json, found), key=lambda one: one.id):
            if delivery.status is not Status.PENDING:
                self._remember(delivery)
            elif not (gone := self._gone(delivery)):
                self.pending[delivery.id] = delivery
            elif gone == _NO_CONNECTOR or delivery.recipient:
                self._over(replace(delivery, status=Status.DROPPED, problem=gone))
            else:  # of a version that had one delivery for all recipients
                self._rows[f"{_ROW}{delivery.id}"] = ""
                self._address(delivery.channel, delivery, json.loads(delivery.body))

    def _gone(self, delivery: Delivery) -> str:
        """Why it can reach its recipient no more; empty when it can."""
        channel = self.channels.get(delivery.channel)
        if channel is None:
            return _NO_CONNECTOR
        return "" if delivery.recipient in channel.recipients else "no such recipient"

    def _wanted(self, change: AlarmChange) -> list[Channel]:
        alarm = change.alarm
        if change.change is Change.ESCALATED and alarm.escalated_to in self.channels:
            return [self.channels[alarm.escalated_to]]
        return [c for c in self.channels.values() if alarm.priority <= c.priority]

    def _make(self, channel: Channel, change: AlarmChange, now_us: int) -> list[Delivery]:
        alarm = change.alarm
        key = (channel.name, alarm.id, change.change.value, alarm.sectors, alarm.escalation)
        sent_us = self._known.get(key)
        if sent_us is not None and 0 <= now_us - sent_us < channel.repeat_us:
            self.counts[channel.name][Status.REPEATED.value] += 1
            return []
        delivery = Delivery(0, channel.name, alarm.id, change.change.value, alarm.priority, now_us)
        rate = self._rates[channel.name]
        if not rate.bucket.take(now_us / 1e6):
            rate.held_back += 1
            self._number(now_us)
            limited = replace(delivery, id=self._last_id, status=Status.LIMITED, done_us=now_us)
            self._over(limited)
            return []
        self._known.pop(key, None)
        self._known[key] = now_us
        if len(self._known) > _MAX_REMEMBERED:
            del self._known[next(iter(self._known))]
        value = describe(self._site, change, self._locate)
        if rate.held_back:
            value["held_back"] = rate.held_back
            value["text"] += f"\n{rate.held_back} more were held back; see the console"
            rate.held_back = 0
        return self._address(channel.name, delivery, value)

    def _address(self, channel: str, delivery: Delivery, body: dict[str, Any]) -> list[Delivery]:
        """One delivery for each recipient: each is reached, or not, by itself."""
        fresh = []
        for recipient in self.channels[channel].recipients:
            self._number(delivery.at_us)
            value = body | {"delivery": self._last_id} | ({"to": recipient} if recipient else {})
            one = replace(
                delivery, id=self._last_id, recipient=recipient, body=text.format_json(value)
            )
            self._make_room(one)
            self.pending[one.id] = one
            self._rows[f"{_ROW}{one.id}"] = _to_json(one)
            fresh.append(one)
        return fresh

    def _number(self, now_us: int) -> None:
        """The next number is above all earlier ones, also of a store that is older than them: it
        grows with time, faster than deliveries are made for long."""
        self._last_id = max(self._last_id + 1, floor_at(now_us, _PER_S))

    def _make_room(self, fresh: Delivery) -> None:
        to = (fresh.channel, fresh.recipient)
        waiting = [one for one in self.pending.values() if (one.channel, one.recipient) == to]
        now_us = fresh.at_us
        if len(waiting) >= MAX_PENDING:
            victim = max(waiting, key=lambda one: (one.priority, -one.id))
            self.settle(now_us, victim.id, Status.DROPPED, 0, "too many were waiting")

    def _over(self, delivery: Delivery) -> None:
        self.counts[delivery.channel][delivery.status.value] += 1
        over = replace(delivery, body="")
        self._remember(over)
        self._rows[f"{_ROW}{over.id}"] = _to_json(over)
        self._chain(over)

    def _remember(self, delivery: Delivery) -> None:
        if len(self.recent) == MAX_RECENT:
            self._rows[f"{_ROW}{self.recent[0].id}"] = ""
        self.recent.append(delivery)
        if delivery.status is Status.SENT:
            self.sent_us[delivery.channel] = delivery.done_us


def _to_json(delivery: Delivery) -> str:
    return text.format_json(delivery)


def _from_json(value: str) -> Delivery:
    fields: dict[str, Any] = json.loads(value)
    return Delivery(**{**fields, "status": Status(fields["status"])})
