# SPDX-License-Identifier: MIT
"""The duty officer: standing orders of a site; what operators order for a while is in the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.alarms.schedule import Schedule

# Whoever was heard so long ago has left the ground that the line hears; a node whose link was down,
# or the gateway, brings such detections out of the ledger.
LATE_US = 120_000_000

# Ends and delays are looked at on the full second: how often somebody looks changes nothing.
TICK_US = 1_000_000

OPEN_MOST = 10_000  # alarms nobody acknowledges; beyond it the oldest cleared ones leave the queue
# Alarms that are over may still be judged, when the patrol is back.
CLOSED_KEPT = 200
CLOSED_KEPT_US = 7 * 24 * 3600 * 1_000_000
MASKS_MOST = 200
WALKS_MOST = 200
# A mask for good is a line nobody guards and nobody remembers: a week is the most, then think anew.
ORDER_MOST_US = 7 * 24 * 3600 * 1_000_000
# A walk is announced for a shift, at most a day ahead.
WALK_MOST_US = 12 * 3600 * 1_000_000
AHEAD_MOST_US = 24 * 3600 * 1_000_000
# So long after its end a walk still marks what nodes tell late.
WALK_KEPT_US = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """So long after an alarm began to ask, tell `to`; for alarms of this priority and higher."""

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
