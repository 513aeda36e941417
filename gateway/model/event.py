# SPDX-License-Identifier: MIT
"""Model: an event is the common cause of observations: one crossing, one vehicle, one animal."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from gateway.model.detection import ActivityId
from gateway.model.ellipse import Ellipse
from gateway.model.footfalls import Footfall
from gateway.model.observation import Contact, Plot, Presence
from gateway.model.target import Phase, TargetClass

TURNED_DEG = 45.0


@dataclass(frozen=True, slots=True)
class LevelReport:
    """One report of an activity: its highest peak since `since_us` (None: since the report before),
    and the number of PIR movements until then."""

    at_us: int
    peak_um_s: float
    pir_count: int
    since_us: int | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """What one node reported of one activity that belongs to an event: the latest report, the most
    confident class, and the last `levels` and `footfalls` in order of time."""

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
    levels: tuple[LevelReport, ...] = ()
    footfalls: tuple[Footfall, ...] = ()


@dataclass(frozen=True, slots=True)
class Track:
    """Motion as far as the reports show it. `direction_deg` is a bearing: 0 north, 90 east.

    Nodes on one straight line measure the same from either side: then the speed is known and the
    direction is None. `at_us` is the time it is valid for, `error_m` the error of the place then.
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


# The store keeps the name that its first version wrote.
class Fix(msgspec.Struct, frozen=True, rename={"source_level": "loudness"}):
    """Where an event was at `at_us` and how it moved then, as association uses it; metres, m/s.

    `error_m` is the radius that holds it in 2 of 3 cases; `source_level` the ln of its um/s at 1 m.
    """

    at_us: int
    x_m: float
    y_m: float
    vx_m_s: float
    vy_m_s: float
    error_m: float
    source_level: float


@dataclass(frozen=True, slots=True)
class Event:
    """What several observations have as their common cause: activities in order of onset, plots,
    presences and contacts in order of time.

    `confirmed` means that it may be an alarm, `corroborated` that more than the reports of one
    node support it; `reasons` are one text each. Place, class
    and confidence are those of the last evaluation, at `evaluated_us` (arrival time); an event that
    is `pending` received observations since. `x_m`, `y_m` are the place at the newest observation
    evaluated, within `error_m` in 2 of 3 cases and `ellipse` in 95 of 100. `own` names authorised
    persons at its place. `problem` states why the last evaluation found no place; empty when there
    was none.
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
    late_us: int = 0  # the longest delay of its reports
    plots: tuple[Plot, ...] = ()
    presences: tuple[Presence, ...] = ()
    contacts: tuple[Contact, ...] = ()
    own: str = ""
    evaluated_us: int | None = None
    pending: bool = False
    problem: str = ""
    corroborated: bool = False
    ellipse: Ellipse | None = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that detected it, in order of their first onset."""
        return tuple(dict.fromkeys(activity.id.node for activity in self.activities))
