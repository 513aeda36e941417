# SPDX-License-Identifier: MIT
"""The map table: is it worth disturbing an operator? One text per reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.fusion.rules import ALARMABLE, Rules
from gateway.model.event import Activity
from gateway.site import Site
from gateway.wire.messages import TargetClass

_PIR_DOUBT = 0.5  # what is left of the doubt when a warm body moved in view


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the activities say together."""

    target: TargetClass
    confidence: float
    confirmed: bool
    reasons: tuple[str, ...]


def judge(site: Site, rules: Rules, activities: Sequence[Activity]) -> Verdict:
    """Class by weight of confidence, confidence as of independent witnesses, reasons."""
    target = _target(activities)
    agreeing = [a for a in activities if _agrees(a.target, target)]
    reasons = (
        *_pair(rules, agreeing),
        *_with_pir(rules, agreeing),
        *_alone(site, rules, agreeing),
        *_sure(rules, agreeing),
    )
    return Verdict(
        target=target,
        confidence=_confidence(agreeing),
        confirmed=target in ALARMABLE and bool(reasons),
        reasons=reasons if target in ALARMABLE else (),
    )


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


def _confidence(activities: Sequence[Activity]) -> float:
    best: dict[str, float] = {}
    for activity in activities:
        if activity.target is not TargetClass.UNKNOWN:
            node = activity.id.node
            best[node] = max(best.get(node, 0.0), activity.confidence)
    doubt = 1.0
    for confidence in best.values():
        doubt *= 1.0 - confidence
    if any(activity.pir_count for activity in activities):
        doubt *= _PIR_DOUBT
    return round(min(1.0 - doubt, 0.99), 2)


def _pair(rules: Rules, activities: Sequence[Activity]) -> tuple[str, ...]:
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
                return (f"nodes heard it within {rules.window_us // 1_000_000} s of each other",)
            if second.onset_us <= first.report_us and first.onset_us <= second.report_us:
                return ("nodes heard it at the same time",)
    return ()


def _with_pir(rules: Rules, activities: Sequence[Activity]) -> tuple[str, ...]:
    for activity in activities:
        if activity.pir_count and activity.confidence >= rules.pir_confidence:
            return (f"{activity.id.node} heard it and its PIR saw movement",)
    return ()


def _alone(site: Site, rules: Rules, activities: Sequence[Activity]) -> tuple[str, ...]:
    sure = {a.sector: a.id.node for a in activities if a.confidence >= rules.lone_confidence}
    for sector, node in sure.items():
        if len(site.sector_nodes(sector)) == 1:
            return (f"{node} heard it and is alone in sector {sector}",)
    return ()


def _sure(rules: Rules, activities: Sequence[Activity]) -> tuple[str, ...]:
    for activity in activities:
        if activity.confidence >= rules.sure_confidence and activity.reports >= rules.sure_reports:
            return (f"{activity.id.node} is sure and says so in repeated reports",)
    return ()
