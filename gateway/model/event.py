# SPDX-License-Identifier: MIT
"""Model: an event is what several detections are about: one crossing, one vehicle, one animal."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.detection import ActivityId
from gateway.model.footfalls import Footfall
from gateway.model.target import Phase, TargetClass

TURNED_DEG = 45.0


@dataclass(frozen=True, slots=True)
class Sound:
    """One report of an activity: how loud it was at most from `since_us` on (None: since the report
    before), and how often the PIR had seen movement by then."""

    at_us: int
    peak_um_s: float
    pir_count: int
    since_us: int | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """What one node said about one activity that belongs to an event: its latest word, the best it
    had, and its last `sounds` and `strikes` in order of time."""

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
    cadence_hz: float = 0.0
    sounds: tuple[Sound, ...] = ()
    strikes: tuple[Footfall, ...] = ()


@dataclass(frozen=True, slots=True)
class Track:
    """Motion as far as the reports tell it. `direction_deg` is a bearing: 0 north, 90 east.

    Nodes on one straight line hear alike from either side: then the speed is known and the
    direction is None. `at_us` is the moment it is of, `error_m` how well the place was known then.
    """

    direction_deg: float | None
    speed_m_s: float | None
    at_us: int = 0
    error_m: float = 0.0


def turned(before_deg: float | None, now_deg: float | None) -> bool:
    """Whether two directions are known and not the same within TURNED_DEG."""
    if before_deg is None or now_deg is None:
        return False
    return abs((now_deg - before_deg + 180) % 360 - 180) > TURNED_DEG


@dataclass(frozen=True, slots=True)
class Fix:
    """Where an event was at `at_us` and how it moved then, as it is reckoned with; metres, m/s.

    `error_m` is the radius that holds it in 2 of 3 cases; `loudness` the ln of its um/s at 1 m.
    """

    at_us: int
    x_m: float
    y_m: float
    vx_m_s: float
    vy_m_s: float
    error_m: float
    loudness: float


@dataclass(frozen=True, slots=True)
class Event:
    """Contributing activities in order of onset, and what they say together.

    `confirmed` means that it is fit to disturb an operator; `reasons` say why, one text each.
    `x_m`, `y_m` are where it was by the newest report, within `error_m` in 2 of 3 cases.
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
    error_m: float = 0.0
    fix: Fix | None = None
    late_us: int = 0  # how late reports of it came at most

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(activity.id.node for activity in self.activities))
