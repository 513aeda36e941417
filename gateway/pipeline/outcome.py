# SPDX-License-Identifier: MIT
"""Pipeline: what one step brought about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateway.model import text
from gateway.model.alarm import AlarmChange
from gateway.model.detection import Detection
from gateway.model.target import Phase
from gateway.outputs.outbox import Delivery
from gateway.wire.messages import DownMessage, UpMessage


@dataclass(slots=True)
class Outcome:
    """`node` sent it, authentically. `receipt` is the (node, boot) to be told how far its messages
    are safe, once the writes are committed; `time_for` the (node, t_ms) that asked for the time;
    `down` is what else nodes are to be sent after the commit. `done`: the operator's act was
    possible. `message` came for the first time.
    """

    node: str = ""
    refused: str = ""
    duplicate: bool = False
    done: bool = False
    changed: list[str] = field(default_factory=list)  # standing orders that are others now
    detections: list[Detection] = field(default_factory=list)
    alarms: list[AlarmChange] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    receipt: tuple[str, int] | None = None
    time_for: tuple[str, int] | None = None
    message: UpMessage | None = None
    down: list[tuple[str, DownMessage]] = field(default_factory=list)

    def lines(self, zero_us: int = 0) -> list[dict[str, Any]]:
        """JSON lines in the order things were decided; times in seconds after `zero_us`.

        A detection gives one line at its onset (later reports of it refine the alarm).
        """
        onsets = [d for d in self.detections if d.phase is Phase.ONSET]
        return [text.detection_line(d, zero_us) for d in onsets] + [
            text.alarm_line(change, zero_us) for change in self.alarms
        ]
