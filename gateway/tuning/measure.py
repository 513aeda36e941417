# SPDX-License-Identifier: MIT
"""Tuning: from the records of a site to the quiet of each node and its proposal. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from gateway.model.alarm import Alarm
from gateway.performance.intervals import rate
from gateway.tuning import bounds
from gateway.tuning.activity import Activity, Limits, onset_limits, passes
from gateway.tuning.bounds import HOUR_US
from gateway.tuning.hours import Hours
from gateway.tuning.labels import Label, Labelled, intrusions_of, label
from gateway.tuning.overrides import Overrides
from gateway.tuning.propose import Action, Figures, propose
from gateway.tuning.report import (
    ConfirmedDetection,
    HourRate,
    Interval,
    NodeQuiet,
    Proposal,
    Tuning,
    TuningReport,
)
from gateway.tuning.timeline import Timeline

_HOURS = 24
_UNWANTED = (Label.FALSE, Label.UNCONFIRMED)
_UNCERTAIN = (*_UNWANTED, Label.UNASSESSED)


@dataclass
class Records:
    """What a store holds of a period. `listened_s` is by node and hour since 1970: the time that is
    covered by heartbeats."""

    from_us: int
    until_us: int
    sector_of: Mapping[str, str]
    activities: Sequence[Activity] = ()
    alarms: Sequence[Alarm] = ()
    overrides: Overrides = field(default_factory=Overrides)
    listened_s: Mapping[tuple[str, int], float] = field(default_factory=dict)
    thresholds: Mapping[str, Timeline] = field(default_factory=dict)
    tunings: Sequence[Tuning] = ()
    left_out: int = 0


def measure(records: Records, zone: tzinfo | None = None) -> TuningReport:
    """All nodes, by name. `zone` of the hours of the day; None: that of this machine."""
    alarms_of = intrusions_of(records.alarms)
    onsets_us = {one.id: one.onset_us for one in records.activities}
    hours = Hours(records.overrides, records.alarms, onsets_us, records.from_us, records.until_us)
    limits = onset_limits(records.activities, records.thresholds)
    by_node: dict[str, list[Labelled]] = {name: [] for name in sorted(records.sector_of)}
    for one in records.activities:
        if one.id.node in by_node:
            sector = records.sector_of[one.id.node]
            by_node[one.id.node].append(label(one, sector, alarms_of, records.overrides))
    listened: dict[str, dict[int, float]] = {name: {} for name in by_node}
    for (name, hour), seconds in records.listened_s.items():
        if name in listened:
            listened[name][hour] = seconds
    return TuningReport(
        from_us=records.from_us,
        until_us=records.until_us,
        zone=_at(records.until_us // 1_000_000, zone).strftime("%Z"),
        left_out=records.left_out + records.overrides.unreadable,
        nodes=tuple(
            _Node(records, name, listened[name], hours, limits, zone).measured(found)
            for name, found in by_node.items()
        ),
    )


class _Node:
    """One node at its present threshold."""

    def __init__(
        self,
        records: Records,
        name: str,
        listened_s: Mapping[int, float],
        hours: Hours,
        limits: Limits,
        zone: tzinfo | None,
    ) -> None:
        timeline = records.thresholds.get(name) or Timeline(())
        self._records, self._name, self._limits, self._zone = records, name, limits, zone
        self._sector = records.sector_of[name]
        self._threshold, self._changed_us = timeline.now, timeline.changed_us
        self._tuning = self._newest_tuning()
        if self._tuning is not None and self._tuning.before_x10 != self._tuning.after_x10:
            self._changed_us = max(self._changed_us or 0, self._tuning.at_us)
        self._since_us = max(records.from_us, self._changed_us or 0)
        first = -(-self._since_us // HOUR_US)  # the hour of a change belongs to neither
        self._cells = {h: s for h, s in listened_s.items() if h >= first and s > 0}
        self._why = {h: hours.excluded(name, self._sector, h) for h in self._cells}
        self._quiet = {h: s for h, s in self._cells.items() if self._why[h] is None}

    def measured(self, found: Sequence[Labelled]) -> NodeQuiet:
        present = [one for one in found if one.activity.onset_us >= self._since_us]
        covered = [one for one in present if _hour(one) in self._cells]
        unwanted = [one for one in covered if _hour(one) in self._quiet and one.label in _UNWANTED]
        uncertain = [
            one for one in covered if _hour(one) not in self._quiet and one.label in _UNCERTAIN
        ]
        counts = Counter(one.label for one in covered)
        kinds = Counter(one.label for one in unwanted)
        excluded: dict[str, float] = {}
        for hour, why in self._why.items():
            if why is not None:
                excluded[why.value] = excluded.get(why.value, 0.0) + self._cells[hour] / 3600
        quiet_h = sum(self._quiet.values()) / 3600
        return NodeQuiet(
            node=self._name,
            sector=self._sector,
            threshold_x10=self._threshold,
            since_us=self._since_us,
            listened_h=round(sum(self._cells.values()) / 3600, 2),
            quiet_h=round(quiet_h, 2),
            excluded_h={name: round(hours, 2) for name, hours in sorted(excluded.items())},
            unwanted=len(unwanted),
            false=kinds[Label.FALSE],
            unconfirmed=kinds[Label.UNCONFIRMED],
            animal=counts[Label.ANIMAL],
            unassessed=counts[Label.UNASSESSED],
            uncertain=len(uncertain),
            confirmed=counts[Label.CONFIRMED],
            no_exposure=len(present) - len(covered),
            per_day=_interval(len(unwanted), quiet_h / 24),
            quiet_by_hour_h=tuple(round(s / 3600, 2) for s in self._by_hour()),
            rates=self._rates(unwanted),
            proposal=self._proposal(found, unwanted, len(uncertain), quiet_h),
            tuning=self._tuning,
        )

    def _proposal(
        self,
        found: Sequence[Labelled],
        unwanted: Sequence[Labelled],
        uncertain: int,
        quiet_h: float,
    ) -> Proposal:
        step_up = (self._threshold or 0) + bounds.STEP_X10
        figures = Figures(
            threshold_x10=self._threshold,
            quiet_h=quiet_h,
            unwanted=len(unwanted),
            assessed=len({one.alarm_id for one in unwanted if one.label is Label.FALSE}),
            removed=self._below(unwanted, step_up),
            changed_us=self._changed_us,
            now_us=self._records.until_us,
            base_x10=self._base_x10(),
            uncertain=uncertain,
            listened_h=sum(self._cells.values()) / 3600,
        )
        decided = propose(figures)
        now, proposed = self._threshold, decided.threshold_x10
        if decided.action is Action.NONE or now is None or proposed is None or proposed < now:
            lost: list[ConfirmedDetection] = []
            removed = 0
        else:
            confirmed = [one for one in found if one.label is Label.CONFIRMED]
            lost = [
                _confirmed(one)
                for one in confirmed
                if not passes(one.activity, proposed, self._limits)
            ]
            removed = self._below(unwanted, proposed)
        return Proposal(
            action=decided.action,
            threshold_x10=proposed,
            why=decided.why,
            removed=removed,
            lost=tuple(lost),
        )

    def _below(self, unwanted: Sequence[Labelled], threshold_x10: int) -> int:
        return sum(not passes(one.activity, threshold_x10, self._limits) for one in unwanted)

    def _base_x10(self) -> int | None:
        """Where to go back to, once the tuning in force is over."""
        tuning = self._tuning
        if tuning is None or tuning.until_us is None or tuning.until_us > self._records.until_us:
            return None
        return tuning.base_x10

    def _newest_tuning(self) -> Tuning | None:
        """The newest one, while the node has the threshold that it set."""
        own = [one for one in self._records.tunings if one.node == self._name]
        if not own or own[-1].after_x10 != self._threshold:
            return None
        return own[-1]

    def _hour_of_day(self, hour: int) -> int:
        return _at(hour * 3600, self._zone).hour

    def _by_hour(self) -> list[float]:
        seconds = [0.0] * _HOURS
        for hour, listened_s in self._quiet.items():
            seconds[self._hour_of_day(hour)] += listened_s
        return seconds

    def _rates(self, unwanted: Sequence[Labelled]) -> tuple[HourRate, ...]:
        exposure = self._by_hour()
        counts = Counter(
            (self._hour_of_day(_hour(one)), one.activity.target.value) for one in unwanted
        )
        return tuple(
            HourRate(
                hour=hour,
                target=target,
                count=count,
                per_hour=_interval(count, exposure[hour] / 3600),
            )
            for (hour, target), count in sorted(counts.items())
        )


def _at(at_s: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at_s, UTC).astimezone(zone)


def _hour(one: Labelled) -> int:
    return one.activity.onset_us // HOUR_US


def _confirmed(one: Labelled) -> ConfirmedDetection:
    activity = one.activity
    return ConfirmedDetection(
        node=activity.id.node,
        boot=activity.id.boot,
        onset_ms=activity.id.onset_ms,
        onset_us=activity.onset_us,
        target=activity.target.value,
        confidence_pct=activity.peak_pct,
        because=one.because,
    )


def _interval(events: int, exposure: float) -> Interval:
    found = rate(events, exposure)
    value, low, high = (
        round(number, 4) if math.isfinite(number) else None
        for number in (found.value, found.low, found.high)
    )
    return value, low, high
