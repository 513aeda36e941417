# SPDX-License-Identifier: MIT
"""Alarms: policy of a site; operator actions in force are in the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.alarms.schedule import Schedule

# A target that was detected so long ago has left the monitored area. Such detections come from the
# ledger of a node whose link, or whose gateway, was down.
LATE_US = 120_000_000

# Ends and delays are checked on the full second: how often a check runs changes nothing.
TICK_US = 1_000_000

MAX_OPEN = 10_000  # alarms; beyond it the oldest cleared ones leave the queue
# Closed alarms can still be assessed, when the patrol is back.
CLOSED_KEPT = 200
CLOSED_KEPT_US = 7 * 24 * 3600 * 1_000_000
MAX_MASKS = 200
MAX_WALKS = 200
# A mask without an end is forgotten: a week is the longest.
MAX_ORDER_US = 7 * 24 * 3600 * 1_000_000
# Authorised activity is scheduled for a shift, at most a day ahead.
MAX_WALK_US = 12 * 3600 * 1_000_000
MAX_AHEAD_US = 24 * 3600 * 1_000_000
# So long after its end, authorised activity still marks late reports.
WALK_KEPT_US = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """`after_us` after an alarm became unacknowledged, notify `to`; for alarms of this priority and
    higher."""

    after_us: int
    to: str
    priority: int = 1


@dataclass(frozen=True, slots=True)
class AlarmRules:
    """Sector of each node; schedules by sector (none: always armed); escalation in order; when a
    sector needs a second source beside one node (none: never)."""

    sector_of: Mapping[str, str] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    escalation: tuple[EscalationStep, ...] = ()
    confirmed: Mapping[str, Schedule] = field(default_factory=dict)
    nodes_of: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        nodes: dict[str, tuple[str, ...]] = {}
        for node, sector in self.sector_of.items():
            nodes[sector] = (*nodes.get(sector, ()), node)
        object.__setattr__(self, "nodes_of", nodes)
