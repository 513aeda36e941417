# SPDX-License-Identifier: MIT
"""Model: an event is what several detections are about: one crossing, one vehicle, one animal."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.detection import ActivityId
from gateway.wire.messages import Phase, TargetClass


@dataclass(frozen=True, slots=True)
class Activity:
    """The latest word of one node about one activity that belongs to an event."""

    id: ActivityId
    sector: str
    target: TargetClass
    confidence: float
    peak_um_s: float
    pir_count: int
    onset_us: int
    report_us: int
    reports: int
    phase: Phase


@dataclass(frozen=True, slots=True)
class Track:
    """Motion as far as the onsets tell it. `direction_deg` is a bearing: 0 north, 90 east."""

    direction_deg: float
    speed_m_s: float


@dataclass(frozen=True, slots=True)
class Event:
    """Contributing activities in order of onset, and what they say together.

    `confirmed` means that it is fit to disturb an operator; `reasons` say why, one text each.
    `x_m`, `y_m` are the amplitude-weighted middle of the nodes heard last.
    """

    id: str
    activities: tuple[Activity, ...]
    sectors: tuple[str, ...]
    target: TargetClass
    confidence: float
    first_us: int
    last_us: int
    touched_us: int  # arrival of the newest contribution
    x_m: float
    y_m: float
    track: Track | None
    confirmed: bool
    closed: bool
    reasons: tuple[str, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(activity.id.node for activity in self.activities))
