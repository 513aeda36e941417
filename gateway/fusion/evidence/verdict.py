# SPDX-License-Identifier: MIT
"""Fusion: is it worth disturbing an operator? Evidence adds up in log-odds, with reasons."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from gateway.fusion.evidence.signs import GROUNDS, Sign, odds
from gateway.fusion.rules import ALARMABLE, Rules
from gateway.model.target import TargetClass

# An operator is disturbed for these whatever the odds are, where they are grounds.
_SUFFICIENT = frozenset({"pir", "enduring"})
# Two sources that do not depend on each other: what the policy `confirmed` asks for.
_INDEPENDENT = frozenset({"pair", "order", "pir", "agree", "unnamed"})
_WAVES = frozenset({"far", "blast", "wave"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The assessment of all observations. `confidence` is the probability that an operator must
    know; `corroborated`: by more than one node."""

    target: TargetClass
    confidence: float
    confirmed: bool
    corroborated: bool
    reasons: tuple[str, ...]


def assess(rules: Rules, target: TargetClass, signs: Sequence[Sign]) -> Verdict:
    """Evidence for and against, one reason each.

    Evidence against never suppresses a person detected by a PIR: an intruder may use a storm. What
    no node could classify is an alarm only if it moves from node to node, and not with the gusts.
    """
    sum_of = odds(rules, signs)
    kinds = {sign.kind for sign in signs if sign.amount}
    if target is TargetClass.UNKNOWN:
        confirmed = "order" in kinds and "noisy" not in kinds
    else:
        grounds = _grounds(kinds)
        enough = sum_of >= rules.alarm_at or bool(grounds & _SUFFICIENT)
        confirmed = target in ALARMABLE and enough and bool(grounds)
    is_shown = target in ALARMABLE or target is TargetClass.UNKNOWN
    reasons = tuple(dict.fromkeys(sign.reason for sign in signs if sign.reason))
    return Verdict(
        target=target,
        confidence=_probability(sum_of),
        confirmed=confirmed,
        corroborated=bool(kinds & _INDEPENDENT) and not kinds & _WAVES,
        reasons=reasons if is_shown else (),
    )


def _grounds(kinds: Collection[str]) -> Set[str]:
    """Of digging, a PIR is none: it may see the branches of a tree that sways."""
    grounds = GROUNDS.intersection(kinds)
    return grounds - {"pir"} if "digging" in kinds else grounds


def _probability(log_odds: float) -> float:
    return round(min(max(1 / (1 + math.exp(-log_odds)), 0.01), 0.99), 2)


# On the sites of tools/score/confidence.toml (`groundwatch score --suite`) nodes report 38 % of
# persons and 92 % of groups as a group, 62 % and 5 % as a person. So a report of a person is worth
# ln(0.62 / 0.05), one of a group ln(0.92 / 0.38).
_GROUP_VOTE = 0.35


def classify(votes: Iterable[Mapping[TargetClass, float]]) -> TargetClass:
    """The class with the largest sum of confidences; `votes` are those of each observation type.
    Between a person and a group, a vote for a group counts less."""
    weights: dict[TargetClass, float] = {}
    for vote in votes:
        for target, confidence in vote.items():
            weights[target] = weights.get(target, 0.0) + confidence
    weights.pop(TargetClass.UNKNOWN, None)
    if not weights:
        return TargetClass.UNKNOWN
    # Of classes that weigh the same, the one that the enum lists first.
    found = max(TargetClass, key=lambda target: weights.get(target, 0.0))
    is_person = weights.get(TargetClass.PERSON, 0.0) > _GROUP_VOTE * weights.get(found, 0.0)
    return TargetClass.PERSON if found is TargetClass.GROUP and is_person else found
