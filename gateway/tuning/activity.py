# SPDX-License-Identifier: MIT
"""Tuning: one stored activity of a node, and what it shows of the node's evidence.

A report states a confidence of 50 points plus eight for each unit of log-odds, and an update never
states less than the report before it (firmware: ugs.detect.verdict, ugs.detect.activity). The
confidence of the onset is therefore just above the node's limit, and the last one is the most
evidence that the gateway knows of. The node may have had more between two reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.model.detection import ActivityId
from gateway.model.target import TargetClass
from gateway.tuning.bounds import POINTS_PER_TENTH
from gateway.tuning.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Activity:
    """`first_pct` is the confidence of the onset report, None when that is not stored; `peak_pct`
    the highest of all reports. `target` is the newest class that was named."""

    id: ActivityId
    onset_us: int
    end_us: int
    target: TargetClass
    first_pct: int | None
    peak_pct: int


Limits = Mapping[TargetClass, float]


def onset_limits(activities: Iterable[Activity], thresholds: Mapping[str, Timeline]) -> Limits:
    """For each class the confidence, in points, that an onset needs at threshold 0: the lowest that
    any node of the site has sent, less what that node's threshold was. The true limit is this or
    lower."""
    found: dict[TargetClass, float] = {}
    for one in activities:
        timeline = thresholds.get(one.id.node)
        threshold = timeline.at(one.onset_us) if timeline is not None else None
        if one.first_pct is None or threshold is None:
            continue
        limit = one.first_pct - POINTS_PER_TENTH * threshold
        found[one.target] = min(limit, found.get(one.target, limit))
    return found


def needed_pct(one: Activity, threshold_x10: int, limits: Limits) -> float:
    """A report of this activity passes the threshold when it states more than this. Where the limit
    of the class is unknown, its own onset gives one."""
    own = one.peak_pct if one.first_pct is None else one.first_pct
    return limits.get(one.target, float(own)) + POINTS_PER_TENTH * threshold_x10


def passes(one: Activity, threshold_x10: int, limits: Limits) -> bool:
    """Whether its reports show that it would have been detected at the threshold."""
    return one.peak_pct > needed_pct(one, threshold_x10, limits)
