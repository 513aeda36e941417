# SPDX-License-Identifier: MIT
"""The map table: the signs that an event is, or is not, what an operator must know of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from gateway.fusion.coherence import Doubt, doubts
from gateway.fusion.ears import Ears
from gateway.fusion.modes import Path
from gateway.fusion.rules import Rules
from gateway.fusion.weights import Weights
from gateway.model.event import Activity
from gateway.model.site import Site
from gateway.model.target import TargetClass

_PATH_NODES = 3  # two nodes fit any walk
_PATH_MISFIT = 1.5
_MOST = 0.98  # no node is believed blindly
_OTHERS_MOST = 4.0

KINDS = tuple(item.name for item in fields(Weights) if item.name != "prior")
# One of these at least makes an event fit to disturb an operator.
GROUNDS = frozenset({"pair", "pir", "lone", "sure"})


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign: `kind` names its weight, `amount` is how much of it there is. A reason names a node
    only where that one alone is the sign, and no figure that a better clock would change: a reason
    told in other words is no second reason."""

    kind: str
    amount: float
    reason: str = ""


def evidence(
    site: Site,
    ears: Ears,
    rules: Rules,
    activities: Sequence[Activity],
    target: TargetClass,
    path: Path | None,
    at_us: int,
) -> tuple[Sign, ...]:
    """What speaks for an event told as `target`, then what speaks against it."""
    agreeing = [a for a in activities if _agrees(a.target, target)]
    against = doubts(site, ears, activities, target, at_us)
    # Of one and the same thing far away, all that nodes say is one witness.
    alike = any(doubt.kind == "far" for doubt in against)
    return (
        *_of_nodes(agreeing, alike),
        *(() if alike else _pair(rules, agreeing)),
        *_with_pir(rules, agreeing),
        *_alone(site, rules, agreeing),
        *_sure(rules, agreeing),
        *_on_a_way(agreeing, path),
        *(Sign(doubt.kind, 1.0, doubt.reason) for doubt in against),
        *_digging(rules, agreeing, target, against),
    )


def odds(weights: Weights, signs: Sequence[Sign]) -> float:
    """Log-odds: signs add up."""
    return weights.prior + sum(
        (float(getattr(weights, sign.kind)) * sign.amount for sign in signs), 0.0
    )


def _agrees(a: TargetClass, target: TargetClass) -> bool:
    on_foot = {TargetClass.PERSON, TargetClass.GROUP, TargetClass.DIGGING}
    return a in (target, TargetClass.UNKNOWN) or (a in on_foot and target in on_foot)


def _of_nodes(activities: Sequence[Activity], alike: bool) -> Iterator[Sign]:
    """What each node's best word is worth: the surest one's, and together those of the others."""
    best: dict[str, float] = {}
    for activity in activities:
        if activity.target is not TargetClass.UNKNOWN:
            node = activity.id.node
            best[node] = max(best.get(node, 0.0), activity.confidence)
    worth = sorted((max(0.0, _log_odds(one)) for one in best.values()), reverse=True)
    if worth:
        yield Sign("node", worth[0])
    if worth[1:] and not alike:
        yield Sign("others", min(sum(worth[1:]), _OTHERS_MOST))


def _log_odds(confidence: float) -> float:
    bounded = min(max(confidence, 1 - _MOST), _MOST)
    return math.log(bounded / (1 - bounded))


def _pair(rules: Rules, activities: Sequence[Activity]) -> Iterator[Sign]:
    """Two nodes that begin to hear it within the window, or hear it at the same time."""
    sure = [a for a in activities if a.confidence >= rules.pair_confidence]
    for index, first in enumerate(sure):
        for second in sure[index + 1 :]:
            if first.id.node == second.id.node:
                continue
            if abs(second.onset_us - first.onset_us) <= rules.window_us:
                window_s = rules.window_us // 1_000_000
                yield Sign("pair", 1.0, f"nodes heard it within {window_s} s of each other")
                return
            if second.onset_us <= first.report_us and first.onset_us <= second.report_us:
                yield Sign("pair", 1.0, "nodes heard it at the same time")
                return


def _with_pir(rules: Rules, activities: Sequence[Activity]) -> Iterator[Sign]:
    for activity in activities:
        if activity.pir_count and activity.confidence >= rules.pir_confidence:
            yield Sign("pir", 1.0, f"{activity.id.node} heard it and its PIR saw movement")
            return


def _alone(site: Site, rules: Rules, activities: Sequence[Activity]) -> Iterator[Sign]:
    sure = {a.sector: a.id.node for a in activities if a.confidence >= rules.lone_confidence}
    for sector, node in sure.items():
        if len(site.sector_nodes(sector)) == 1:
            yield Sign("lone", 1.0, f"{node} heard it and is alone in sector {sector}")
            return


def _sure(rules: Rules, activities: Sequence[Activity]) -> Iterator[Sign]:
    """A node that is sure, twice. Saying it more often makes none that is not sure any surer: what
    deceived it goes on deceiving it."""
    for activity in activities:
        if activity.confidence >= rules.sure_confidence and activity.reports >= rules.sure_reports:
            yield Sign("sure", 1.0, f"{activity.id.node} is sure and says so in repeated reports")
            return


def _on_a_way(activities: Sequence[Activity], path: Path | None) -> Iterator[Sign]:
    nodes = {activity.id.node for activity in activities}
    if path is None or len(nodes) < _PATH_NODES or path.misfit > _PATH_MISFIT:
        return
    if path.speed_m_s is not None:
        yield Sign("way", 1.0, "it passed the nodes as one does who moves among them")


def _digging(
    rules: Rules, activities: Sequence[Activity], target: TargetClass, against: Sequence[Doubt]
) -> Iterator[Sign]:
    if target is not TargetClass.DIGGING:
        return
    yield Sign("digging", 1.0, "told as digging, which a tree that sways sounds like")
    if any(doubt.kind == "noisy" for doubt in against):
        yield Sign("swaying", 1.0, "told as digging while wind or rain is about")
    # Each tree sways beside a node of its own, and gusts that move two are heard in all floors.
    elif any(_pair(rules, [a for a in activities if a.target is TargetClass.DIGGING])):
        yield Sign("dug", 1.0, "nodes heard digging together on quiet ground")
