# SPDX-License-Identifier: MIT
"""The map table: is it worth disturbing an operator? Evidence adds up in log-odds, with reasons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.fusion.coherence import doubts
from gateway.fusion.ears import Ears
from gateway.fusion.modes import Path
from gateway.fusion.rules import ALARMABLE, Rules
from gateway.model.event import Activity
from gateway.site import Site
from gateway.wire.messages import TargetClass

_PATH_NODES = 3  # two nodes fit any walk
_PATH_MISFIT = 1.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the activities say together; `confidence` is the chance that an operator must know."""

    target: TargetClass
    confidence: float
    confirmed: bool
    reasons: tuple[str, ...]


def judge(
    site: Site,
    ears: Ears,
    rules: Rules,
    activities: Sequence[Activity],
    path: Path | None,
    at_us: int,
) -> Verdict:
    """Class by weight of confidence; evidence for and against, one reason each."""
    target = _target(activities)
    agreeing = [a for a in activities if _agrees(a.target, target)]
    against = doubts(site, ears, activities, target, at_us)
    alike = any(doubt.alike for doubt in against)
    found = [
        *(() if alike else _pair(rules, agreeing)),
        *_with_pir(rules, agreeing),
        *_alone(site, rules, agreeing),
        *_sure(rules, agreeing),
        *_on_a_way(rules, agreeing, path),
    ]
    odds = rules.prior + _of_nodes(rules, agreeing, alike)
    odds += sum(weight for _, weight in found) - sum(doubt.weight for doubt in against)
    return Verdict(
        target=target,
        confidence=_chance(odds),
        confirmed=target in ALARMABLE and bool(found) and odds >= rules.alarm_at,
        reasons=(
            (*(reason for reason, _ in found), *(doubt.reason for doubt in against))
            if target in ALARMABLE
            else ()
        ),
    )


def _chance(odds: float) -> float:
    return round(min(max(1 / (1 + math.exp(-odds)), 0.01), 0.99), 2)


def _target(activities: Sequence[Activity]) -> TargetClass:
    weights: dict[TargetClass, float] = {}
    for activity in activities:
        if activity.target is not TargetClass.UNKNOWN:
            weights[activity.target] = weights.get(activity.target, 0.0) + activity.confidence
    if not weights:
        return TargetClass.UNKNOWN
    return max(weights, key=lambda target: (weights[target], -target))


def _agrees(a: TargetClass, target: TargetClass) -> bool:
    on_foot = {TargetClass.PERSON, TargetClass.GROUP, TargetClass.DIGGING}
    return a in (target, TargetClass.UNKNOWN) or (a in on_foot and target in on_foot)


def _of_nodes(rules: Rules, activities: Sequence[Activity], alike: bool) -> float:
    """What each node's own confidence is worth, its best word once; no node is believed blindly."""
    best: dict[str, float] = {}
    for activity in activities:
        if activity.target is not TargetClass.UNKNOWN:
            node = activity.id.node
            best[node] = max(best.get(node, 0.0), activity.confidence)
    worth = []
    for confidence in best.values():
        bounded = min(max(confidence, 0.05), 0.95)
        worth.append(rules.node_weight * max(0.0, math.log(bounded / (1 - bounded))))
    return max(worth, default=0.0) if alike else sum(worth)


Evidence = tuple[tuple[str, float], ...]


def _pair(rules: Rules, activities: Sequence[Activity]) -> Evidence:
    """Two nodes that begin to hear it within the window, or hear it at the same time.

    Without their names, which the event lists, and without a figure that a better clock would
    change: a reason told in other words is no second reason.
    """
    sure = [a for a in activities if a.confidence >= rules.pair_confidence]
    for index, first in enumerate(sure):
        for second in sure[index + 1 :]:
            if first.id.node == second.id.node:
                continue
            if abs(second.onset_us - first.onset_us) <= rules.window_us:
                window_s = rules.window_us // 1_000_000
                return ((f"nodes heard it within {window_s} s of each other", rules.pair_weight),)
            if second.onset_us <= first.report_us and first.onset_us <= second.report_us:
                return (("nodes heard it at the same time", rules.pair_weight),)
    return ()


def _with_pir(rules: Rules, activities: Sequence[Activity]) -> Evidence:
    for activity in activities:
        if activity.pir_count and activity.confidence >= rules.pir_confidence:
            return ((f"{activity.id.node} heard it and its PIR saw movement", rules.pir_weight),)
    return ()


def _alone(site: Site, rules: Rules, activities: Sequence[Activity]) -> Evidence:
    sure = {a.sector: a.id.node for a in activities if a.confidence >= rules.lone_confidence}
    for sector, node in sure.items():
        if len(site.sector_nodes(sector)) == 1:
            return ((f"{node} heard it and is alone in sector {sector}", rules.lone_weight),)
    return ()


def _sure(rules: Rules, activities: Sequence[Activity]) -> Evidence:
    for activity in activities:
        if activity.confidence >= rules.sure_confidence and activity.reports >= rules.sure_reports:
            reason = f"{activity.id.node} is sure and says so in repeated reports"
            return ((reason, rules.sure_weight),)
    return ()


def _on_a_way(rules: Rules, activities: Sequence[Activity], path: Path | None) -> Evidence:
    nodes = {activity.id.node for activity in activities}
    if path is None or len(nodes) < _PATH_NODES or path.misfit > _PATH_MISFIT:
        return ()
    if path.speed_m_s is None:
        return ()
    return (("it passed the nodes as one does who moves among them", rules.way_weight),)
