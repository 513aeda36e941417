# SPDX-License-Identifier: MIT
"""Fusion: the signs in what nodes reported that an event is, or is not, worth an operator's time.

Reasons are stable: no figure in them changes with the next report, so the same sign is the same
reason. One names a node only where that node alone is the sign.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from gateway.fusion.estimate.modes import Path
from gateway.fusion.evidence.coherence import Doubt, doubts
from gateway.fusion.floors import NoiseFloors
from gateway.fusion.gating import agree
from gateway.fusion.rules import Rules
from gateway.fusion.weights import Weights
from gateway.model.event import Activity
from gateway.model.place.site import Site
from gateway.model.target import TargetClass

_PATH_NODES = 3  # two nodes fit any walk
_PATH_MISFIT = 1.5
_MAX_CONFIDENCE = 0.98  # no source is believed blindly
_MAX_OTHERS = 4.0

# Signs with a fitted weight; `rules.Rules` adds those whose weight is stated.
KINDS = tuple(item.name for item in fields(Weights) if item.name != "prior")
# One of these at least makes an event fit to disturb an operator.
GROUNDS = frozenset({"pair", "pir", "lone", "sure", "agree"})


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign: `kind` names its weight, `amount` is how much of it there is."""

    kind: str
    amount: float
    reason: str = ""


def evidence(
    site: Site,
    floors: NoiseFloors,
    rules: Rules,
    activities: Sequence[Activity],
    target: TargetClass,
    path: Path | None,
    at_us: int,
) -> tuple[Sign, ...]:
    """What speaks for an event classified as `target`, then what speaks against it."""
    agreeing = [a for a in activities if agree(a.target, target)]
    against = doubts(site, floors, activities, target, at_us)
    # Of one and the same thing far away, all reports together are one witness.
    alike = any(doubt.kind == "far" for doubt in against)
    return (
        *_of_nodes(agreeing, alike),
        *(() if alike else _pair(rules, agreeing)),
        *_with_pir(rules, agreeing),
        *_alone(site, rules, agreeing),
        *_sure(rules, agreeing),
        *_on_a_path(agreeing, path),
        *(Sign(doubt.kind, 1.0, doubt.reason) for doubt in against),
        *_digging(rules, agreeing, target, against),
    )


def odds(weights: Weights, signs: Sequence[Sign]) -> float:
    """Log-odds: signs add up. One with no amount is a reason and nothing else."""
    worth = [float(getattr(weights, sign.kind)) * sign.amount for sign in signs if sign.amount]
    return weights.prior + sum(worth, 0.0)


def log_odds(confidence: float) -> float:
    """Of a probability that a source states, bounded."""
    bounded = min(max(confidence, 1 - _MAX_CONFIDENCE), _MAX_CONFIDENCE)
    return math.log(bounded / (1 - bounded))


def _of_nodes(activities: Sequence[Activity], alike: bool) -> Iterator[Sign]:
    """The best confidence of each node: the surest one's, and together those of the others."""
    best: dict[str, float] = {}
    for activity in activities:
        if activity.target is not TargetClass.UNKNOWN:
            node = activity.id.node
            best[node] = max(best.get(node, 0.0), activity.confidence)
    worth = sorted((max(0.0, log_odds(one)) for one in best.values()), reverse=True)
    if worth:
        yield Sign("node", worth[0])
    if worth[1:] and not alike:
        yield Sign("others", min(sum(worth[1:]), _MAX_OTHERS))


def _pair(rules: Rules, activities: Sequence[Activity]) -> Iterator[Sign]:
    """Two nodes that start to detect it within the window, or detect it at the same time."""
    sure = [a for a in activities if a.confidence >= rules.pair_confidence]
    for index, first in enumerate(sure):
        for second in sure[index + 1 :]:
            if first.id.node == second.id.node:
                continue
            if abs(second.onset_us - first.onset_us) <= rules.window_us:
                window_s = rules.window_us // 1_000_000
                yield Sign("pair", 1.0, f"nodes detected it within {window_s} s of each other")
                return
            if second.onset_us <= first.report_us and first.onset_us <= second.report_us:
                yield Sign("pair", 1.0, "nodes detected it at the same time")
                return


def _with_pir(rules: Rules, activities: Sequence[Activity]) -> Iterator[Sign]:
    for activity in activities:
        if activity.pir_count and activity.confidence >= rules.pir_confidence:
            yield Sign("pir", 1.0, f"{activity.id.node} detected it and its PIR saw movement")
            return


def _alone(site: Site, rules: Rules, activities: Sequence[Activity]) -> Iterator[Sign]:
    sure = {a.sector: a.id.node for a in activities if a.confidence >= rules.lone_confidence}
    for sector, node in sure.items():
        if len(site.sector_nodes(sector)) == 1:
            yield Sign("lone", 1.0, f"{node} detected it and is alone in sector {sector}")
            return


def _sure(rules: Rules, activities: Sequence[Activity]) -> Iterator[Sign]:
    """A node that is sure, twice. More reports make none that is not sure any surer: what deceived
    it goes on deceiving it."""
    for activity in activities:
        if activity.confidence >= rules.sure_confidence and activity.reports >= rules.sure_reports:
            yield Sign("sure", 1.0, f"{activity.id.node}: repeated high-confidence reports")
            return


def _on_a_path(activities: Sequence[Activity], path: Path | None) -> Iterator[Sign]:
    nodes = {activity.id.node for activity in activities}
    if path is None or len(nodes) < _PATH_NODES or path.misfit > _PATH_MISFIT:
        return
    if path.speed_m_s is not None:
        yield Sign("way", 1.0, "detection sequence fits a moving target")


def _digging(
    rules: Rules, activities: Sequence[Activity], target: TargetClass, against: Sequence[Doubt]
) -> Iterator[Sign]:
    if target is not TargetClass.DIGGING:
        return
    yield Sign("digging", 1.0, "AGAINST: classified as digging, which swaying trees resemble")
    if any(doubt.kind == "noisy" for doubt in against):
        yield Sign("swaying", 1.0, "AGAINST: classified as digging in wind or rain")
    # Each tree sways beside a node of its own, and gusts that move two raise all noise floors.
    elif any(_pair(rules, [a for a in activities if a.target is TargetClass.DIGGING])):
        yield Sign("dug", 1.0, "nodes detected digging together on quiet ground")
