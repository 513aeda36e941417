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
from gateway.outbox.notification import NOTIFIED, TEST, Locate, describe, describe_test
from gateway.store.interface import Snapshot, Writes

MAX_PENDING = 256  # of one channel; if there are more, the oldest of the least urgent is dropped
MAX_RECENT = 1000
_MAX_REMEMBERED = 1024
_ROW = "delivery:"  # names of state rows
_LAST = "last_delivery"


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
    """What the outbox knows of a notifier. It gets no alarms less urgent than `priority`."""

    name: str
    kind: str
    priority: int = 3
    repeat_us: int = 300_000_000
    per_minute: int = 10


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification for one channel; `body` is JSON, and is removed when it is over.

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
                delivery = self._make(channel, change, now_us)
                if delivery is not None:
                    fresh.append(delivery)
        return [delivery for delivery in fresh if delivery.id in self.pending]

    def test(self, channel: str, by: str, now_us: int) -> Delivery | None:
        """A test like any other delivery, past the rate limit; None while one is under way."""
        if any(one.test and one.channel == channel for one in self.pending.values()):
            return None
        self._last_id += 1
        value = describe_test(self._site, channel, by, now_us) | {"delivery": self._last_id}
        delivery = Delivery(self._last_id, channel, 0, TEST, 3, now_us, text.format_json(value))
        self._begin(delivery, now_us)
        return delivery if delivery.id in self.pending else None

    def set_channels(self, channels: Sequence[Channel], now_us: int) -> None:
        """Use these channels. Pending deliveries of a removed channel are over."""
        self.channels = {channel.name: channel for channel in channels}
        for channel in channels:
            known = self._rates.get(channel.name)
            if known is None or known.per_minute != channel.per_minute:
                self._rates[channel.name] = _Rate(channel.per_minute)
        for delivery in list(self.pending.values()):
            if delivery.channel not in self.channels:
                self.settle(now_us, delivery.id, Status.DROPPED, 0, "no such connector")

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
            elif delivery.channel in self.channels:
                self.pending[delivery.id] = delivery
            else:
                self._over(replace(delivery, status=Status.DROPPED, problem="no such connector"))

    def _wanted(self, change: AlarmChange) -> list[Channel]:
        alarm = change.alarm
        if change.change is Change.ESCALATED and alarm.escalated_to in self.channels:
            return [self.channels[alarm.escalated_to]]
        return [c for c in self.channels.values() if alarm.priority <= c.priority]

    def _make(self, channel: Channel, change: AlarmChange, now_us: int) -> Delivery | None:
        alarm = change.alarm
        key = (channel.name, alarm.id, change.change.value, alarm.sectors, alarm.escalation)
        sent_us = self._known.get(key)
        if sent_us is not None and 0 <= now_us - sent_us < channel.repeat_us:
            self.counts[channel.name][Status.REPEATED.value] += 1
            return None
        self._last_id += 1
        delivery = Delivery(
            self._last_id, channel.name, alarm.id, change.change.value, alarm.priority, now_us
        )
        rate = self._rates[channel.name]
        if not rate.bucket.take(now_us / 1e6):
            rate.held_back += 1
            self._over(replace(delivery, status=Status.LIMITED, done_us=now_us))
            return None
        self._known.pop(key, None)
        self._known[key] = now_us
        if len(self._known) > _MAX_REMEMBERED:
            del self._known[next(iter(self._known))]
        value = describe(self._site, change, self._locate) | {"delivery": delivery.id}
        if rate.held_back:
            value["held_back"] = rate.held_back
            value["text"] += f"\n{rate.held_back} more were held back; see the console"
            rate.held_back = 0
        delivery = replace(delivery, body=text.format_json(value))
        self._begin(delivery, now_us)
        return delivery

    def _begin(self, delivery: Delivery, now_us: int) -> None:
        self._make_room(delivery.channel, now_us)
        self.pending[delivery.id] = delivery
        self._rows[f"{_ROW}{delivery.id}"] = _to_json(delivery)

    def _make_room(self, name: str, now_us: int) -> None:
        waiting = [one for one in self.pending.values() if one.channel == name]
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
