# SPDX-License-Identifier: MIT
"""Tuning: which detections and alarms would not have come: the stored inputs pass through the rules
of fusion and alarms again, without the reports below the new threshold.

A threshold that is lower cannot be replayed: what was below the old one was never sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.model.detection import ActivityId, Detection
from gateway.model.footfalls import Footfalls
from gateway.monitor.compare import About, alarms_of, counterpart
from gateway.monitor.policy import Policy
from gateway.monitor.replay import replay_with
from gateway.store.interface import HistoryRow
from gateway.store.sql_commit import Database
from gateway.tuning.activity import needed_pct, onset_limits, passes
from gateway.tuning.labels import Labelled, intrusions_of, is_confirmed, label
from gateway.tuning.measure import Records

Needed = Mapping[ActivityId, float]


class RemovedDetection(msgspec.Struct, frozen=True, kw_only=True):
    """A detection that would not have come. `label` is what it was."""

    node: str
    boot: int
    onset_ms: int
    onset_us: int
    target: str
    confidence_pct: int
    label: str
    because: str


class ReplayedAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm of only one of the two histories. `assessed`: dispositions of the stored alarms with
    the same detections; `confirmed`: one of them is of people or vehicles."""

    kind: str
    raised_us: int
    nodes: tuple[str, ...]
    target: str | None
    assessed: tuple[str, ...]
    confirmed: bool


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """`thresholds` are the new ones that were replayed; `not_replayed` those that are lower."""

    thresholds: dict[str, int]
    not_replayed: dict[str, int]
    detections: tuple[RemovedDetection, ...]
    alarms: tuple[ReplayedAlarm, ...]
    new_alarms: tuple[ReplayedAlarm, ...]
    alarms_before: int
    alarms_after: int


def replayed(db: Database, records: Records, proposed: Mapping[str, int]) -> Replayed:
    """`proposed` are thresholds by node. Raises ValueError where the log cannot be read."""
    now = {name: line.now for name, line in records.thresholds.items()}
    higher = {
        name: threshold
        for name, threshold in proposed.items()
        if (known := now.get(name)) is not None and threshold > known
    }
    lower = {name: x10 for name, x10 in proposed.items() if name not in higher}
    limits = onset_limits(records.activities, records.thresholds)
    of_nodes = [one for one in records.activities if one.id.node in higher]
    needed = {one.id: needed_pct(one, higher[one.id.node], limits) for one in of_nodes}
    alarms = intrusions_of(records.alarms)
    removed = [
        label(one, records.sector_of.get(one.id.node, ""), alarms, records.overrides)
        for one in of_nodes
        if not passes(one, higher[one.id.node], limits)
    ]
    before = _alarms(db, records, {})
    after = _alarms(db, records, needed) if needed else before
    gone = [about for about in before if counterpart(about, after) is None]
    new = [about for about in after if counterpart(about, before) is None]
    return Replayed(
        thresholds=higher,
        not_replayed=lower,
        detections=tuple(_removed(one) for one in removed),
        alarms=tuple(_alarm(about, before[about], records) for about in gone),
        new_alarms=tuple(_alarm(about, after[about], records) for about in new),
        alarms_before=len(before),
        alarms_after=len(after),
    )


class _Passing:
    """Wants all but the reports of these activities up to the first that states enough, and the
    footfalls before it."""

    def __init__(self, needed: Needed) -> None:
        self._needed = needed
        self._passed: set[ActivityId] = set()

    def __call__(self, given: object) -> bool:
        if not isinstance(given, (Detection, Footfalls)):
            return True
        needed = self._needed.get(given.activity)
        if needed is None or given.activity in self._passed:
            return True
        if isinstance(given, Detection) and round(100 * given.confidence) > needed:
            self._passed.add(given.activity)
            return True
        return False


def _alarms(db: Database, records: Records, needed: Needed) -> dict[About, dict[str, Any]]:
    """Intrusion alarms of the period, without operators' acknowledgements."""
    history: list[HistoryRow] = replay_with(db, _same, _Passing(needed), records.from_us)[1]
    return {
        about: alarm
        for about, alarm in alarms_of(history).items()
        if about[0] == "intrusion" and records.from_us <= alarm["raised_us"] < records.until_us
    }


def _same(policy: Policy) -> Policy:
    return policy


def _removed(one: Labelled) -> RemovedDetection:
    activity = one.activity
    return RemovedDetection(
        node=activity.id.node,
        boot=activity.id.boot,
        onset_ms=activity.id.onset_ms,
        onset_us=activity.onset_us,
        target=activity.target.value,
        confidence_pct=activity.peak_pct,
        label=one.label.value,
        because=one.because,
    )


def _alarm(about: About, alarm: Mapping[str, Any], records: Records) -> ReplayedAlarm:
    detections = about[2]
    stored = [
        one
        for one in records.alarms
        if detections & {(d.node, d.boot, d.onset_ms) for d in one.detections}
    ]
    words = {one.disposition.value if one.disposition else "not assessed" for one in stored}
    return ReplayedAlarm(
        kind=str(alarm["kind"]),
        raised_us=int(alarm["raised_us"]),
        nodes=tuple(alarm["nodes"]),
        target=alarm["class"],
        assessed=tuple(sorted(words)),
        confirmed=any(is_confirmed(one) for one in stored),
    )
