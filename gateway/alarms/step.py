# SPDX-License-Identifier: MIT
"""The duty officer: one alarm per crossing or trouble, open until it is over and acknowledged.

Pure: (state, input, now) -> (state, changes). Each alarm is acknowledged by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gateway.model.alarm import (
    LATE_PRIORITY,
    PRIORITY,
    Alarm,
    AlarmChange,
    AlarmKind,
    Change,
    Disposition,
)
from gateway.model.event import Event

OPEN_MOST = 10_000  # alarms nobody acknowledges; beyond it the oldest cleared ones leave the queue

# Whoever was heard so long ago has left the ground that the line hears; a node whose link was down,
# or the gateway, brings such detections out of the ledger.
LATE_US = 120_000_000


@dataclass(frozen=True, slots=True)
class EventChanged:
    """The map table changed an event."""

    event: Event


@dataclass(frozen=True, slots=True)
class NodeTrouble:
    """Something about a node began or ended."""

    kind: AlarmKind
    node: str
    sector: str
    detail: str  # tells apart troubles of one kind, e.g. the condition's name
    active: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """An operator takes note of one alarm, and may say what it was."""

    alarm_id: int
    by: str
    disposition: Disposition | None = None


AlarmInput = EventChanged | NodeTrouble | Acknowledge


@dataclass(frozen=True, slots=True)
class AlarmState:
    """Open alarms in order of their numbers, and the last number given."""

    open: tuple[Alarm, ...] = ()
    last_id: int = 0

    def by_id(self, alarm_id: int) -> Alarm | None:
        """An open alarm."""
        return next((alarm for alarm in self.open if alarm.id == alarm_id), None)


def step(
    state: AlarmState, given: AlarmInput, now_us: int
) -> tuple[AlarmState, tuple[AlarmChange, ...]]:
    """(new state, changes in order). An acknowledgement of an unknown alarm changes nothing."""
    match given:
        case EventChanged(event):
            return _on_event(state, event, now_us)
        case NodeTrouble():
            return _on_trouble(state, given, now_us)
        case Acknowledge():
            return _on_acknowledge(state, given, now_us)


def _on_event(
    state: AlarmState, event: Event, now_us: int
) -> tuple[AlarmState, tuple[AlarmChange, ...]]:
    known = next(
        (a for a in state.open if a.active and a.kind is AlarmKind.INTRUSION and a.key == event.id),
        None,
    )
    if known is None:
        if not event.confirmed or event.closed:
            return state, ()
        blank = _blank(state, AlarmKind.INTRUSION, event.id, now_us)
        if now_us - event.last_us > LATE_US:
            blank = replace(blank, priority=LATE_PRIORITY)
        return _raise(state, _of_event(blank, event), now_us)
    alarm = _of_event(known, event)
    changes = []
    if set(alarm.sectors) != set(known.sectors):
        changes.append(Change.SECTOR)
        # A new sector is news: what was acknowledged before it is asked for again.
        alarm = replace(alarm, acknowledged=False)
    elif alarm.priority == LATE_PRIORITY and not event.closed and now_us - event.last_us <= LATE_US:
        # The backlog has caught up with somebody who is still there.
        alarm = _of_event(replace(alarm, priority=PRIORITY[alarm.kind], acknowledged=False), event)
        changes.append(Change.UPDATED)
    elif _told(alarm) != _told(known):
        changes.append(Change.UPDATED)
    if event.closed:
        alarm = replace(alarm, active=False)
        changes.append(Change.CLEARED)
    if not changes:
        return _put(state, alarm), ()
    alarm = replace(alarm, changed_us=now_us)
    return _put(state, alarm), tuple(AlarmChange(change, alarm, now_us) for change in changes)


def _on_trouble(
    state: AlarmState, trouble: NodeTrouble, now_us: int
) -> tuple[AlarmState, tuple[AlarmChange, ...]]:
    key = f"{trouble.node}/{trouble.detail}"
    # Latched: a node that comes and goes all night is one alarm, not hundreds.
    known = next((a for a in state.open if a.kind is trouble.kind and a.key == key), None)
    if trouble.active and known is None:
        blank = _blank(state, trouble.kind, key, now_us)
        alarm = replace(
            blank, nodes=(trouble.node,), sectors=(trouble.sector,), reasons=(trouble.reason,)
        )
        return _raise(state, alarm, now_us)
    if known is None or known.active == trouble.active:
        return state, ()
    alarm = replace(known, active=trouble.active, changed_us=now_us)
    change = Change.AGAIN if trouble.active else Change.CLEARED
    return _put(state, alarm), (AlarmChange(change, alarm, now_us),)


def _on_acknowledge(
    state: AlarmState, given: Acknowledge, now_us: int
) -> tuple[AlarmState, tuple[AlarmChange, ...]]:
    known = state.by_id(given.alarm_id)
    if known is None or (known.acknowledged and given.disposition is None):
        return state, ()
    alarm = replace(
        known,
        acknowledged=True,
        acknowledged_by=given.by,
        acknowledged_us=now_us,
        disposition=given.disposition or known.disposition,
        changed_us=now_us,
    )
    return _put(state, alarm), (AlarmChange(Change.ACKNOWLEDGED, alarm, now_us, given.by),)


def _blank(state: AlarmState, kind: AlarmKind, key: str, now_us: int) -> Alarm:
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
    )


def _of_event(alarm: Alarm, event: Event) -> Alarm:
    reasons = event.reasons
    if alarm.priority == LATE_PRIORITY:
        when = datetime.fromtimestamp(event.first_us // 1_000_000, UTC)
        reasons = (f"reported late: it began at {when:%Y-%m-%d %H:%M} UTC", *reasons)
    return replace(
        alarm,
        nodes=event.nodes,
        sectors=event.sectors,
        reasons=reasons,
        detections=tuple(activity.id for activity in event.activities),
        target=event.target,
        confidence=event.confidence,
        x_m=event.x_m,
        y_m=event.y_m,
        direction_deg=event.track.direction_deg if event.track else alarm.direction_deg,
        speed_m_s=event.track.speed_m_s if event.track else alarm.speed_m_s,
    )


def _told(alarm: Alarm) -> tuple[object, ...]:
    """What is worth a new entry in the history; position and confidence move all the time."""
    who = frozenset(alarm.nodes), frozenset(alarm.sectors)
    return (*who, alarm.target, alarm.reasons, alarm.direction_deg is None)


def _raise(
    state: AlarmState, alarm: Alarm, now_us: int
) -> tuple[AlarmState, tuple[AlarmChange, ...]]:
    room = state.open
    if len(room) >= OPEN_MOST:
        oldest = next((a for a in room if not a.active), room[0])
        room = tuple(a for a in room if a.id != oldest.id)
    return AlarmState((*room, alarm), alarm.id), (AlarmChange(Change.RAISED, alarm, now_us),)


def _put(state: AlarmState, alarm: Alarm) -> AlarmState:
    kept = (alarm if a.id == alarm.id else a for a in state.open)
    return replace(state, open=tuple(a for a in kept if a.open))
