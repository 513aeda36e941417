# SPDX-License-Identifier: MIT
"""The map table: is it worth disturbing an operator? Evidence adds up in log-odds, with reasons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.fusion.ears import Ears
from gateway.fusion.evidence import GROUNDS, evidence, odds
from gateway.fusion.modes import Path
from gateway.fusion.rules import ALARMABLE, Rules
from gateway.model.event import Activity
from gateway.model.site import Site
from gateway.model.target import TargetClass


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
    """Class by weight of confidence; evidence for and against, one reason each.

    Doubts never keep back somebody on foot whom a PIR saw: an intruder may use the storm.
    """
    target = told_as(activities)
    signs = evidence(site, ears, rules, activities, target, path, at_us)
    sum_of = odds(rules, signs)
    kinds = {sign.kind for sign in signs}
    enough = sum_of >= rules.alarm_at or ("pir" in kinds and "digging" not in kinds)
    is_wanted = target in ALARMABLE
    return Verdict(
        target=target,
        confidence=_chance(sum_of),
        confirmed=is_wanted and enough and bool(kinds & GROUNDS),
        reasons=tuple(sign.reason for sign in signs if sign.reason) if is_wanted else (),
    )


def _chance(log_odds: float) -> float:
    return round(min(max(1 / (1 + math.exp(-log_odds)), 0.01), 0.99), 2)


def told_as(activities: Sequence[Activity]) -> TargetClass:
    """The class the nodes tell, each by its confidence."""
    weights: dict[TargetClass, float] = {}
    for activity in activities:
        if activity.target is not TargetClass.UNKNOWN:
            weights[activity.target] = weights.get(activity.target, 0.0) + activity.confidence
    if not weights:
        return TargetClass.UNKNOWN
    # Of classes that weigh the same, the one that the enum lists first.
    return max(TargetClass, key=lambda target: weights.get(target, 0.0))
