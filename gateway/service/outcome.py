# SPDX-License-Identifier: MIT
"""Service: the effects of one step of the stages."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from gateway.model import text
from gateway.model.actions.cue import CueChange
from gateway.model.alarm import AlarmChange
from gateway.model.detection import Detection
from gateway.model.event import Event
from gateway.model.target import Phase
from gateway.outbox.outbox import Delivery
from gateway.wire.messages import UpMessage

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Outcome:
    """`node` sent it, authenticated; `message` is new. `done`: the operator's act
    was possible. `changed` names policy that is different now."""

    node: str = ""
    refused: str = ""
    duplicate: bool = False
    done: bool = False
    problem: str = ""  # one line why an act about a cue was not possible
    changed: list[str] = field(default_factory=list)
    detections: list[Detection] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    alarms: list[AlarmChange] = field(default_factory=list)
    cues: list[CueChange] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    message: UpMessage | None = None

    def absorb(self, later: Outcome) -> None:
        """Add the effects of a later step of the same input."""
        self.done = self.done or later.done
        self.problem = self.problem or later.problem
        self.detections += later.detections
        self.events += later.events
        self.alarms += later.alarms
        self.cues += later.cues
        self.deliveries += later.deliveries

    def lines(self, zero_us: int = 0) -> list[dict[str, Any]]:
        """JSON lines in the order of the decisions; times in seconds after `zero_us`.

        A detection gives one line at its onset (later reports of it refine the alarm).
        """
        onsets = [d for d in self.detections if d.phase is Phase.ONSET]
        return [text.detection_line(d, zero_us) for d in onsets] + [
            text.alarm_line(change, zero_us) for change in self.alarms
        ]


def log_change(change: AlarmChange) -> None:
    """One line of the log for a change of an alarm."""
    alarm = change.alarm
    _LOG.info(
        "alarm %s id=%d kind=%s nodes=%s state=%s",
        change.change.value,
        alarm.id,
        alarm.kind.value,
        ",".join(alarm.nodes),
        alarm.state,
    )
