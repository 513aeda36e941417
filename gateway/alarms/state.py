# SPDX-License-Identifier: MIT
"""Alarms: state: open alarms and operator actions in force."""

from __future__ import annotations

from dataclasses import dataclass, replace

from msgspec import structs

from gateway.alarms.rules import CLOSED_KEPT, MAX_OPEN
from gateway.model.actions.overrides import Mask, Override, Walk
from gateway.model.actions.record import SYSTEM
from gateway.model.alarm import PRIORITY, Alarm, AlarmChange, AlarmKind, Change

Changes = tuple[AlarmChange, ...]


@dataclass(frozen=True, slots=True)
class AlarmState:
    """Open alarms in order of their numbers, the newest closed ones, the operator actions in force,
    and the last numbers given."""

    open: tuple[Alarm, ...] = ()
    closed: tuple[Alarm, ...] = ()
    last_id: int = 0
    masks: tuple[Mask, ...] = ()
    walks: tuple[Walk, ...] = ()
    overrides: tuple[Override, ...] = ()
    last_override: int = 0

    def by_id(self, alarm_id: int) -> Alarm | None:
        """An alarm that is open, or one of the newest closed ones."""
        return next((alarm for alarm in self.open + self.closed if alarm.id == alarm_id), None)


def queue(alarms: tuple[Alarm, ...]) -> list[Alarm]:
    """Unacknowledged first, then by priority, then the longest unacknowledged (UFGS 13721)."""
    return sorted(alarms, key=lambda a: (not a.unacknowledged, a.priority, a.raised_us, a.id))


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
        notified_us=now_us,
    )


def reactivate(alarm: Alarm, now_us: int) -> Alarm:
    """Unacknowledged again: something about it is new."""
    return structs.replace(
        alarm, acknowledged=False, notified_us=now_us, escalation=0, escalated_to=""
    )


def add(state: AlarmState, alarm: Alarm, now_us: int) -> tuple[AlarmState, Changes]:
    """Raise it. A queue that is full loses the oldest cleared alarm, else the oldest one: it is
    closed in the name of the system, with a record, and does not return after a restart."""
    changes: list[AlarmChange] = []
    for oldest in _surplus(state.open):
        note = oldest.note or f"the queue was full: {MAX_OPEN} open alarms"
        closed = structs.replace(
            oldest, active=False, acknowledged=True, acknowledged_by=SYSTEM, changed_us=now_us,
            note=note,
        )  # fmt: skip
        state = put(state, closed)
        changes.append(AlarmChange(Change.DISPLACED, closed, now_us))
    changes.append(AlarmChange(Change.RAISED, alarm, now_us))
    return replace(state, open=(*state.open, alarm), last_id=alarm.id), tuple(changes)


def _surplus(alarms: tuple[Alarm, ...]) -> list[Alarm]:
    """Those that must go for one more."""
    number = len(alarms) + 1 - MAX_OPEN
    if number <= 0:
        return []
    return sorted(alarms, key=lambda a: (a.active, a.id))[:number]


def put(state: AlarmState, alarm: Alarm) -> AlarmState:
    """With the changed alarm; it leaves the queue once it is no longer open."""
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
