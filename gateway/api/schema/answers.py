# SPDX-License-Identifier: MIT
"""API: what is answered: every response is one of these structs, or a list in one."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.model.actions.node_command import NodeCommand
from gateway.model.doubt import Doubt
from gateway.model.view import AlarmView, CueView, NodeView, TrackView
from gateway.performance.monitored_time import WalkTest
from gateway.store.reader import StoredDetection
from gateway.updates.rollout import Rollout

Interval = tuple[float | None, float | None, float | None]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON object."""


class Problem(Answer, frozen=True, kw_only=True):
    """One line: what is wrong and, where it helps, what to do."""

    problem: str


class Done(Answer, frozen=True, kw_only=True):
    """It was possible and is stored. `until_us`: when it ends by itself, UTC microseconds."""

    done: bool = True
    until_us: int | None = None


class ChangeView(Answer, frozen=True, kw_only=True):
    """What is true now of one thing; `value` is null when it is gone."""

    kind: str
    id: str
    value: Any


class PictureView(Answer, frozen=True, kw_only=True):
    """Everything (`whole`) or what has changed. `cursor` goes into the next `since`."""

    version: int
    cursor: str
    whole: bool
    now_us: int
    changes: list[ChangeView]


class Doubts(Answer, frozen=True, kw_only=True):
    """What a person must confirm; while there is one, nothing is erased. `now_us` is the gateway's
    time."""

    doubts: list[Doubt]
    now_us: int


class Nodes(Answer, frozen=True, kw_only=True):
    """All nodes, by id, and the gateway's time."""

    nodes: list[NodeView]
    now_us: int


class Tracks(Answer, frozen=True, kw_only=True):
    """What moves now."""

    tracks: list[TrackView]


class Detections(Answer, frozen=True, kw_only=True):
    """Newest first; `cursor` goes into the next search, null at the end."""

    detections: list[StoredDetection]
    cursor: int | None


class Alarms(Answer, frozen=True, kw_only=True):
    """Newest first; `cursor` goes into the next search, null at the end."""

    alarms: list[AlarmView]
    cursor: int | None


class HistoryItem(Answer, frozen=True, kw_only=True):
    """One change of an alarm; `by` is empty for the system."""

    at_us: int
    change: str
    by: str
    state: str
    priority: int
    confidence: float
    nodes: tuple[str, ...]
    reasons: tuple[str, ...]
    note: str


class AlarmDetail(Answer, frozen=True, kw_only=True):
    """One alarm with its detections (node/boot/onset) and its history, oldest first."""

    alarm: AlarmView
    detections: list[str]
    history: list[HistoryItem]


class Cues(Answer, frozen=True, kw_only=True):
    """Requests to devices, by number."""

    cues: list[CueView]


class ConnectorTest(msgspec.Struct, frozen=True, kw_only=True):
    """One test notification: whether it was delivered, and the answer of the other side."""

    connector: str
    delivered: bool
    answer: str


class Connectors(Answer, frozen=True, kw_only=True):
    """State of each connector by name, as the picture has it."""

    connectors: dict[str, Any]


class Changed(Answer, frozen=True, kw_only=True):
    """Subjects that the reload has changed."""

    changed: list[str]


class Update(Answer, frozen=True, kw_only=True):
    """The newest update of nodes; null when there was none."""

    rollout: Rollout | None


class NodeCommands(Answer, frozen=True, kw_only=True):
    """Commands to a node, the newest first."""

    commands: list[NodeCommand]


class DetectionRate(Answer, frozen=True, kw_only=True):
    """Crossings in walk tests; `pd` is [value, low, high], 95 % exact."""

    crossings: int
    detected: int
    pd: Interval


class SectorRate(DetectionRate, frozen=True, kw_only=True):
    """The same of one sector."""

    sector: str


class DetectionReport(DetectionRate, frozen=True, kw_only=True):
    """All walk tests that are over."""

    walk_tests: int
    sectors: list[SectorRate]


class UnwatchedGap(Answer, frozen=True, kw_only=True):
    """A time in which the gateway did not monitor; UTC microseconds."""

    from_us: int
    until_us: int
    cause: str


class Unwatched(Answer, frozen=True, kw_only=True):
    """Time without monitoring in the period: stopped, asleep or frozen; the newest gaps."""

    hours: float
    gaps: int
    newest: list[UnwatchedGap]


class WalkTests(Answer, frozen=True, kw_only=True):
    """Announced walk tests, and what was detected of those that are over."""

    announced: list[WalkTest]
    detection: DetectionReport
    unwatched: Unwatched


class AlarmCounts(Answer, frozen=True, kw_only=True):
    """Alarms of the period by result."""

    notified: int
    intrusion: int
    suppressed: int
    valid: int
    nuisance: int
    false: int
    authorised: int
    not_assessed: int


class AcknowledgeTimes(Answer, frozen=True, kw_only=True):
    """Seconds from notification to acknowledgement; null while one still waits."""

    acknowledged: int
    waiting: int
    p50_s: float | None
    p95_s: float | None


class NodeRates(Answer, frozen=True, kw_only=True):
    """False and nuisance alarms one node took part in."""

    node: str
    alarms: int
    false: int
    nuisance: int
    false_per_day: Interval
    nuisance_per_day: Interval


class DayCounts(Answer, frozen=True, kw_only=True):
    """Alarms of one UTC day."""

    day: str
    monitored_h: float
    unwatched_h: float
    valid: int
    nuisance: int
    false: int
    authorised: int
    not_assessed: int


class Performance(Answer, frozen=True, kw_only=True):
    """Measured performance; intervals are [value, low, high], 95 % exact."""

    since: str
    cut: bool
    monitored_days: float
    operator_hours: float
    unwatched: Unwatched
    alarms: AlarmCounts
    false_per_day: Interval
    nuisance_per_day: Interval
    alarms_per_operator_hour: Interval
    time_to_acknowledge: AcknowledgeTimes
    detection: DetectionReport
    nodes: list[NodeRates]
    days: list[DayCounts]


class GeoJson(Answer, frozen=True, kw_only=True):
    """A FeatureCollection (RFC 7946) of nodes, sectors, tracks and alarms."""

    type: str
    features: list[dict[str, Any]]


class Document(Answer, frozen=True, kw_only=True):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: dict[str, Any]
    servers: list[dict[str, Any]]
    security: list[dict[str, Any]]
