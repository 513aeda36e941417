# SPDX-License-Identifier: MIT
"""Model: an alarm is something an operator must handle; words of ISA-18.2 and OPC UA Part 9."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import msgspec

from gateway.model.detection import ActivityId
from gateway.model.ellipse import Ellipse
from gateway.model.target import TargetClass


class AlarmKind(Enum):
    """What the alarm is about."""

    INTRUSION = "intrusion"
    TAMPER = "tamper"
    FORGERY = "forgery"
    JAMMING = "jamming"
    SECTOR_LOST = "sector_lost"
    NODE_LOST = "node_lost"
    NODE_FAULT = "node_fault"
    LOW_BATTERY = "low_battery"
    GATEWAY_LOST = "gateway_lost"  # this gateway or its partner did not monitor for a time
    PROCESSING_FAULT = "processing_fault"  # a fault of our own: a message could not be processed
    GATEWAY_FAULT = "gateway_fault"  # the gateway's clock or store is in doubt


# UFGS 13721: higher priority first; 1 is the highest.
PRIORITY = {
    AlarmKind.INTRUSION: 1,
    AlarmKind.TAMPER: 1,
    AlarmKind.FORGERY: 1,
    AlarmKind.JAMMING: 1,
    AlarmKind.SECTOR_LOST: 1,
    AlarmKind.GATEWAY_LOST: 1,
    AlarmKind.NODE_LOST: 2,
    AlarmKind.PROCESSING_FAULT: 2,
    AlarmKind.GATEWAY_FAULT: 2,
    AlarmKind.NODE_FAULT: 3,
    AlarmKind.LOW_BATTERY: 3,
}

# An intrusion reported after it ended: it needs an assessment, but the target is gone.
LATE_PRIORITY = 2
# An intrusion of low confidence. It is raised to priority 1 once confidence is high.
UNSURE_PRIORITY = 2
SURE = 0.8  # confidence
# Authorised activity: still an alarm, with the lowest priority.
WALK_PRIORITY = 3


class Disposition(Enum):
    """The cause of an alarm, as the operator assesses it."""

    PERSON = "person"
    VEHICLE = "vehicle"
    ANIMAL = "animal"
    WEATHER = "weather"
    OWN_PATROL = "own_patrol"
    TEST = "test"
    UNKNOWN = "unknown"


# The store keeps the names that its first version wrote: a replay must give the same bytes.
_STORED = {"assessed_by": "judged_by", "notified_us": "told_us"}


class Alarm(msgspec.Struct, frozen=True, rename=_STORED):
    """One alarm with its lifecycle: active or cleared, acknowledged or not; open until both.

    `key` is what it is about (an event id, a node with a condition, a sector); `detections` name
    every activity that caused it. Times are UTC microseconds; it is unacknowledged
    since `notified_us`. `masked` (by an operator), `suppressed` (by the system) and `walk`
    (authorised activity) hold the reason as text; empty: it does not apply. `escalation` counts
    the steps.
    """

    id: int
    kind: AlarmKind
    key: str
    priority: int
    raised_us: int
    changed_us: int
    active: bool
    acknowledged: bool
    nodes: tuple[str, ...]
    sectors: tuple[str, ...]
    reasons: tuple[str, ...]
    detections: tuple[ActivityId, ...] = ()
    target: TargetClass | None = None
    confidence: float = 1.0
    x_m: float | None = None
    y_m: float | None = None
    error_m: float | None = None
    direction_deg: float | None = None
    speed_m_s: float | None = None
    acknowledged_by: str = ""
    acknowledged_us: int | None = None
    disposition: Disposition | None = None
    assessed_by: str = ""
    note: str = ""
    notified_us: int = 0
    late: bool = False
    unsure: bool = False
    masked: str = ""
    suppressed: str = ""
    walk: str = ""
    escalation: int = 0
    escalated_to: str = ""
    claims: tuple[str, ...] = ()  # what other systems state about it
    sources: tuple[str, ...] = ()  # connectors whose observations are part of it
    ellipse: Ellipse | None = None  # holds the place in 95 of 100 cases

    @property
    def state(self) -> str:
        first = "active" if self.active else "cleared"
        return f"{first}_{'acked' if self.acknowledged else 'unacked'}"

    @property
    def is_suppressed(self) -> bool:
        """Masked or suppressed: recorded and shown, but not sounded and not notified."""
        return bool(self.masked or self.suppressed)

    @property
    def unacknowledged(self) -> bool:
        """An operator must acknowledge it."""
        return not self.acknowledged and not self.is_suppressed

    @property
    def open(self) -> bool:
        return self.active or self.unacknowledged


class Change(Enum):
    """What happened to an alarm; one history row each."""

    RAISED = "raised"
    UPDATED = "updated"
    SECTOR = "new_sector"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"
    AGAIN = "again"  # active again before it was acknowledged: still one alarm
    RETURNED = "returned"  # suppression, authorised activity or low confidence ended
    CLAIMED = "claimed"  # another system states something about it
    ESCALATED = "escalated"  # not acknowledged in time: the next step is notified
    DISPLACED = "displaced"  # the queue was full: it was closed to make room for a newer one


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """An alarm after a change, the time, and the operator (empty: the system)."""

    change: Change
    alarm: Alarm
    at_us: int
    by: str = ""
