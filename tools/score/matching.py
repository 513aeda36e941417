# SPDX-License-Identifier: MIT
"""Score: which activity that a node reported answers which pass.

An activity may answer a pass in two cases: at least half of it lies within the time in which the
node can detect the actor, or it touches the 3 s before and after the closest approach. A pass takes
one activity at most, and an activity answers one pass at most. The pairs nearest to the closest
approach are formed first.

A node has one activity at a time, so actors that pass together cannot each have their own. An
activity that spans the closest approach of an unanswered pass answers that pass too (the ground
truth intersection of PSDS, Bilen et al., ICASSP 2020), with its one class. An activity that touches
no time of any actor is a false detection. One that touches such a time but answers no pass is a
repetition, neither hit nor false.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.score.truth import NodePass, Span, Truth, common_s

CROSSING_S = 3.0
OVERLAP = 0.5


@dataclass(frozen=True)
class Activity:
    """What a node reported of one stretch of activity; times in seconds of the take.

    `reported_s` is when the onset was reported, after `start_s`. The class is that of the last
    report, the confidence the highest of all.
    """

    node: str
    start_s: float
    end_s: float
    reported_s: float
    class_name: str
    confidence_pct: int


@dataclass(frozen=True)
class Matches:
    """`hits` pairs passes with activities; every activity is in one of the three."""

    hits: tuple[tuple[NodePass, Activity], ...]
    repeated: tuple[Activity, ...]
    false: tuple[Activity, ...]


def match(truth: Truth, activities: Sequence[Activity]) -> Matches:
    """Match all activities of all nodes with the passes of a take."""
    pairs = []
    for i, activity in enumerate(activities):
        for j, one in enumerate(truth.passes):
            if one.node == activity.node and _may_answer(activity, one):
                pairs.append((_off_s(activity, one), i, j))
    taken: dict[int, int] = {}
    answered: set[int] = set()
    shared: list[tuple[int, int]] = []
    for _, i, j in sorted(pairs):
        if i not in taken and j not in answered:
            taken[i] = j
            answered.add(j)
    for j, one in enumerate(truth.passes):
        spanning = [i for i, a in enumerate(activities) if a.node == one.node and _spans(a, one)]
        if j not in answered and spanning:
            shared.append((j, spanning[0]))
    causes = {node: truth.causes(node) for node in {a.node for a in activities}}
    pairs_found = sorted([*((i, j) for i, j in taken.items()), *((i, j) for j, i in shared)])
    used = {i for i, _ in pairs_found}
    rest = [activity for i, activity in enumerate(activities) if i not in used]
    repeated = [a for a in rest if any(_touches(_span(a), c) for c in causes[a.node])]
    return Matches(
        tuple((truth.passes[j], activities[i]) for i, j in pairs_found),
        tuple(repeated),
        tuple(a for a in rest if a not in repeated),
    )


def _span(activity: Activity) -> Span:
    return (activity.start_s, activity.end_s)


def _touches(a: Span, b: Span) -> bool:
    return a[0] <= b[1] and b[0] <= a[1]


def _may_answer(activity: Activity, one: NodePass) -> bool:
    span = _span(activity)
    near = (one.t_cpa_s - CROSSING_S, one.t_cpa_s + CROSSING_S)
    length_s = span[1] - span[0]
    if length_s <= 0:
        return _touches(span, one.window) or _touches(span, near)
    return common_s(span, one.window) >= OVERLAP * length_s or _touches(span, near)


def _spans(activity: Activity, one: NodePass) -> bool:
    return activity.start_s <= one.t_cpa_s <= activity.end_s


def _off_s(activity: Activity, one: NodePass) -> float:
    # 0 for an activity that spans the closest approach
    return max(0.0, activity.start_s - one.t_cpa_s, one.t_cpa_s - activity.end_s)
