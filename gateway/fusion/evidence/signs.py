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
from gateway.fusion.evidence.coherence import ONE_WITNESS, Doubt, doubts
from gateway.fusion.evidence.order import MAX_M_S, in_order
from gateway.fusion.evidence.passages import passages
from gateway.fusion.floors import NoiseFloors
from gateway.fusion.gating import agree
from gateway.fusion.records import NodeRecords
from gateway.fusion.rules import SPEED_MAX_M_S, Rules
from gateway.fusion.weights import Weights
from gateway.model.event import Activity
from gateway.model.place.site import Site
from gateway.model.target import TargetClass

AGAINST = "AGAINST:"  # how each reason against an alarm starts
_PATH_NODES = 3  # two nodes fit any walk
_PATH_MISFIT = 1.5
_MAX_CONFIDENCE = 0.98  # no source is believed blindly
_MAX_OTHERS = 4.0
_MAX_UNNAMED = 3.0
_LASTING_S = 60.0  # so long, it counts in full

# Signs with a fitted weight; `rules.Rules` adds those whose weight is stated.
KINDS = tuple(item.name for item in fields(Weights) if item.name not in ("prior", "products"))
# One of these at least makes an event fit to disturb an operator.
GROUNDS = frozenset({"pair", "pir", "sure", "agree", "order", "unnamed", "enduring"})


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign: `kind` names its weight, `amount` is how much of it there is."""

    kind: str
    amount: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the signs of an event are read from beside its activities."""

    site: Site
    floors: NoiseFloors
    records: NodeRecords
    rules: Rules
    others: tuple[Activity, ...] = ()  # of other open events


def evidence(
    scene: Scene,
    activities: Sequence[Activity],
    target: TargetClass,
    path: Path | None,
    at_us: int,
) -> tuple[Sign, ...]:
    """Evidence for an event classified as `target`, then evidence against it."""
    site, rules = scene.site, scene.rules
    agreeing = [a for a in activities if agree(a.target, target)]
    named = [a for a in agreeing if a.target is not TargetClass.UNKNOWN]
    against = doubts(site, scene.floors, activities, target, at_us, scene.others)
    # Of one and the same thing far away, all reports together are one witness.
    alike = any(doubt.kind in ONE_WITNESS for doubt in against)
    # A tree sways as long as the wind blows, and its branches move before the PIR: no support then.
    sways = target is TargetClass.DIGGING and any(doubt.kind == "noisy" for doubt in against)
    return (
        *_of_nodes(named, alike),
        *(() if alike else _pair(rules, named)),
        *(() if alike else _unnamed(rules, agreeing, target)),
        *_with_pir(rules, named, sways),
        *_sure(rules, named, target),
        *_on_a_path(agreeing, path),
        *(() if alike else _order(scene, agreeing, target, at_us)),
        *_lasts(agreeing),
        *enduring(rules, named, target, sways),
        *(Sign(doubt.kind, 1.0, doubt.reason) for doubt in against),
        *_digging(rules, named, target, against),
        *_often_false(scene.records, agreeing, at_us),
    )


def odds(weights: Weights, signs: Sequence[Sign]) -> float:
    """Log-odds: signs add up. One with no amount is a reason and nothing else."""
    amounts: dict[str, float] = {}
    for sign in signs:
        amounts[sign.kind] = amounts.get(sign.kind, 0.0) + sign.amount
    worth = [float(getattr(weights, kind)) * amount for kind, amount in amounts.items() if amount]
    both = [
        weight * amounts.get(one, 0.0) * amounts.get(other, 0.0)
        for one, other, weight in weights.products
    ]
    return weights.prior + sum(worth, 0.0) + sum(both, 0.0)


def log_odds(confidence: float) -> float:
    """Of a probability that a source states, bounded."""
    bounded = min(max(confidence, 1 - _MAX_CONFIDENCE), _MAX_CONFIDENCE)
    return math.log(bounded / (1 - bounded))


def _of_nodes(activities: Sequence[Activity], alike: bool) -> Iterator[Sign]:
    """The best confidence of each node: the surest one's, and together those of the others."""
    best: dict[str, float] = {}
    for activity in activities:
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


def _unnamed(rules: Rules, activities: Sequence[Activity], target: TargetClass) -> Iterator[Sign]:
    """Nodes that detected it and could not classify it, beside one that could. A knock reported by
    two nodes is not digging, whichever node classifies it so: it counts, but is no ground."""
    named = [a for a in activities if a.target is not TargetClass.UNKNOWN]
    nodes = {a.id.node for a in named}
    others = {
        a.id.node
        for a in activities
        if a.id.node not in nodes and any(_in_time(rules, a, one) for one in named)
    }
    if others and target is not TargetClass.DIGGING:
        reason = "another node detected it and did not classify it"
        yield Sign("unnamed", min(float(len(others)), _MAX_UNNAMED), reason)


def _in_time(rules: Rules, a: Activity, b: Activity) -> bool:
    """Both start within the window, or one is not over when the other starts."""
    if abs(a.onset_us - b.onset_us) <= rules.window_us:
        return True
    return a.onset_us <= b.report_us and b.onset_us <= a.report_us


def _with_pir(rules: Rules, activities: Sequence[Activity], sways: bool) -> Iterator[Sign]:
    for activity in activities:
        if activity.pir_count and activity.confidence >= rules.pir_confidence:
            reason = f"{activity.id.node} detected it and its PIR saw movement"
            yield Sign("pir", 0.0 if sways else 1.0, reason)
            return


def _sure(rules: Rules, activities: Sequence[Activity], target: TargetClass) -> Iterator[Sign]:
    """A node that is sure, twice. More reports make none that is not sure any surer: what deceived
    it goes on deceiving it. A knock is called digging with as much confidence as digging is."""
    if target is TargetClass.DIGGING:
        return
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


def _order(
    scene: Scene, activities: Sequence[Activity], target: TargetClass, at_us: int
) -> Iterator[Sign]:
    given = passages(activities)
    worth = scene.records.worth((one.node for one in given), at_us)
    pir = any(activity.pir_count for activity in activities)
    max_m_s = MAX_M_S if target is TargetClass.UNKNOWN else SPEED_MAX_M_S[target]
    order = in_order(scene.site, given, max_m_s, pir, worth)
    if order is not None:
        yield Sign("order", 1.0, order.reason)


def _lasts(activities: Sequence[Activity]) -> Iterator[Sign]:
    """How long the node that detected it longest did, by its own reports."""
    longest_us = max((a.report_us - a.onset_us for a in activities), default=0)
    if longest_us > 0:
        yield Sign("lasting", min(longest_us / 1e6 / _LASTING_S, 1.0))


def enduring(
    rules: Rules, activities: Sequence[Activity], target: TargetClass, sways: bool = False
) -> Iterator[Sign]:
    """Digging that one node reports for a minute, again and again: a knock does not last. A digger
    rests, so that a node may report him as several activities: for half the time at least."""
    if target is not TargetClass.DIGGING:
        return
    by_node: dict[str, list[Activity]] = {}
    for activity in activities:
        by_node.setdefault(activity.id.node, []).append(activity)
    for node, own in by_node.items():
        lasted_us = max(one.report_us for one in own) - min(one.onset_us for one in own)
        active_us = sum(one.report_us - one.onset_us for one in own)
        reports = sum(one.reports for one in own)
        is_long = lasted_us >= rules.enduring_us and 2 * active_us >= lasted_us
        if is_long and reports >= rules.enduring_reports:
            reason = f"{node}: digging for a minute or longer"
            yield Sign("enduring", 0.0 if sways else 1.0, reason)
            return


def _often_false(
    records: NodeRecords, activities: Sequence[Activity], at_us: int
) -> Iterator[Sign]:
    """The best record among the nodes: one that is seldom wrong stands for all."""
    nodes = {activity.id.node for activity in activities}
    fewest = min((records.count(node, at_us) for node in nodes), default=0)
    if fewest:
        reason = "AGAINST: its nodes often report what nothing confirms"
        yield Sign("false_peaks", math.log1p(fewest), reason)


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
