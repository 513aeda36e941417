# SPDX-License-Identifier: MIT
"""The duty officer's state: open alarms and what operators have ordered for a while."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.alarms.rules import CLOSED_KEPT, OPEN_MOST
from gateway.model.actions.orders import Mask, Override, Walk
from gateway.model.alarm import PRIORITY, Alarm, AlarmChange, AlarmKind, Change

Changes = tuple[AlarmChange, ...]


@dataclass(frozen=True, slots=True)
class AlarmState:
    """Open alarms in order of their numbers, the newest that are over, the orders in force, and the
    last numbers given."""

    open: tuple[Alarm, ...] = ()
    closed: tuple[Alarm, ...] = ()
    last_id: int = 0
    masks: tuple[Mask, ...] = ()
    walks: tuple[Walk, ...] = ()
    overrides: tuple[Override, ...] = ()
    last_order: int = 0

    def by_id(self, alarm_id: int) -> Alarm | None:
        """An alarm that is open, or over since lately."""
        return next((alarm for alarm in self.open + self.closed if alarm.id == alarm_id), None)


def queue(alarms: tuple[Alarm, ...]) -> list[Alarm]:
    """What asks first, by priority, and within it who has waited longest (UFGS 13721)."""
    return sorted(alarms, key=lambda a: (not a.asks, a.priority, a.raised_us, a.id))


def blank(state: AlarmState, kind: AlarmKind, key: str, now_us: int) -> Alarm:
    """The next alarm, about nothing yet."""
    return Alarm(
        id=state.last_id + 1,
        kind=kind,
        key=key,
        priority=PRIORITY[kind],
        raised_us=now_us,
        changed_us=now_us,
        active=True,
        acknowledged=False,
        nodes=(),
        sectors=(),
        reasons=(),
        told_us=now_us,
    )


def ask(alarm: Alarm, now_us: int) -> Alarm:
    """Something about it is news: what was acknowledged before it is asked for again."""
    return replace(alarm, acknowledged=False, told_us=now_us, escalation=0, escalated_to="")


def add(state: AlarmState, alarm: Alarm, now_us: int) -> tuple[AlarmState, Changes]:
    """Raise it."""
    room = state.open
    if len(room) >= OPEN_MOST:
        oldest = next((a for a in room if not a.active), room[0])
        room = tuple(a for a in room if a.id != oldest.id)
    raised = AlarmChange(Change.RAISED, alarm, now_us)
    return replace(state, open=(*room, alarm), last_id=alarm.id), (raised,)


def put(state: AlarmState, alarm: Alarm) -> AlarmState:
    """The alarm as it is now; it leaves the queue once it is no longer open."""
    if alarm.open:
        kept = tuple(alarm if a.id == alarm.id else a for a in state.open)
        return replace(state, open=kept)
    others = [a for a in state.closed if a.id != alarm.id]
    closed = sorted([*others, alarm], key=lambda a: a.id)
    return replace(
        state,
        open=tuple(a for a in state.open if a.id != alarm.id),
        closed=tuple(closed[-CLOSED_KEPT:]),
    )
