# SPDX-License-Identifier: MIT
"""An alarm manager for tests: events made by hand, stepped without a loop or a clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.alarms import AlarmInput, AlarmRules, AlarmState, EventChanged, step
from gateway.model.alarm import Alarm, AlarmChange
from gateway.model.detection import ActivityId
from gateway.model.event import Activity, Event
from gateway.model.target import Phase, TargetClass

S = 1_000_000
T0 = 1_790_000_000 * S
SECTOR_OF = {"n1": "west", "n2": "west", "n3": "east", "n4": "east"}


def event(*nodes: str, at_s: float = 0.0, since_s: float | None = None, name: str = "e1",
          closed: bool = False, confirmed: bool = True) -> Event:  # fmt: skip
    """A person detected by these nodes, last at `at_s` after T0."""
    last_us = T0 + int(at_s * S)
    first_us = last_us if since_s is None else T0 + int(since_s * S)
    activities = tuple(
        Activity(
            id=ActivityId(node, 1, 1000),
            sector=SECTOR_OF[node],
            target=TargetClass.PERSON,
            confidence=0.8,
            peak_um_s=1.0,
            pir_count=0,
            onset_us=first_us,
            report_us=last_us,
            reports=1,
            phase=Phase.UPDATE,
        )
        for node in nodes
    )
    return Event(
        id=name,
        activities=activities,
        sectors=tuple(dict.fromkeys(SECTOR_OF[node] for node in nodes)),
        target=TargetClass.PERSON,
        confidence=0.9,
        first_us=first_us,
        last_us=last_us,
        touched_us=last_us,
        x_m=0.0,
        y_m=0.0,
        track=None,
        confirmed=confirmed,
        closed=closed,
        reasons=("two nodes agree",),
    )


@dataclass
class Manager:
    """The state between steps; `apply` returns the names of the changes."""

    rules: AlarmRules = field(default_factory=lambda: AlarmRules(SECTOR_OF))
    state: AlarmState = field(default_factory=AlarmState)
    changes: list[AlarmChange] = field(default_factory=list)

    def apply(self, given: AlarmInput, at_s: float = 0.0) -> list[str]:
        self.state, changes = step(self.state, self.rules, given, T0 + int(at_s * S))
        self.changes += changes
        return [change.change.value for change in changes]

    def detect(self, *nodes: str, at_s: float = 0.0, since_s: float | None = None,
               name: str = "e1", closed: bool = False) -> list[str]:  # fmt: skip
        detected = event(*nodes, at_s=at_s, since_s=since_s, name=name, closed=closed)
        return self.apply(EventChanged(detected), at_s)

    @property
    def alarm(self) -> Alarm:
        """The newest open one."""
        return self.state.open[-1]
