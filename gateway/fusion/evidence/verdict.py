# SPDX-License-Identifier: MIT
"""Fusion: is it worth disturbing an operator? Evidence adds up in log-odds, with reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.fusion.evidence.signs import GROUNDS, Sign, odds
from gateway.fusion.rules import ALARMABLE, Rules
from gateway.model.target import TargetClass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the observations say together; `confidence` is the probability that an operator must
    know."""

    target: TargetClass
    confidence: float
    confirmed: bool
    reasons: tuple[str, ...]


def judge(rules: Rules, target: TargetClass, signs: Sequence[Sign]) -> Verdict:
    """Evidence for and against, one reason each.

    Doubts never suppress a person whom a PIR saw: an intruder may use the storm.
    """
    sum_of = odds(rules, signs)
    kinds = {sign.kind for sign in signs}
    enough = sum_of >= rules.alarm_at or ("pir" in kinds and "digging" not in kinds)
    is_wanted = target in ALARMABLE
    reasons = tuple(dict.fromkeys(sign.reason for sign in signs if sign.reason))
    return Verdict(
        target=target,
        confidence=_probability(sum_of),
        confirmed=is_wanted and enough and bool(kinds & GROUNDS),
        reasons=reasons if is_wanted else (),
    )


def _probability(log_odds: float) -> float:
    return round(min(max(1 / (1 + math.exp(-log_odds)), 0.01), 0.99), 2)


def classify(votes: Iterable[Mapping[TargetClass, float]]) -> TargetClass:
    """The class with the largest sum of confidences; `votes` are those of each observation type."""
    weights: dict[TargetClass, float] = {}
    for vote in votes:
        for target, confidence in vote.items():
            weights[target] = weights.get(target, 0.0) + confidence
    weights.pop(TargetClass.UNKNOWN, None)
    if not weights:
        return TargetClass.UNKNOWN
    # Of classes that weigh the same, the one that the enum lists first.
    return max(TargetClass, key=lambda target: weights.get(target, 0.0))
