# SPDX-License-Identifier: MIT
"""Score: how often a stated confidence is right: its diagram, and docs/confidence.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gateway.fusion.evidence.signs import KINDS
from tools.score.intervals import share
from tools.score.weighing import Choice, Sample, chances

_BINS = 10
_BAR = 20  # characters for 100 %
GOAL_ECE = 0.05


@dataclass(frozen=True)
class Bin:
    """Events stated with a confidence of one tenth: how many, mean confidence, share wanted."""

    from_pct: int
    events: float
    stated: float
    wanted: float


def bins(choice: Choice, given: Sequence[Sample]) -> list[Bin]:
    """Those that have events; each event counts one, over its reports."""
    stated = chances(choice.weights, given)
    weight = np.array([one.weight for one in given])
    wanted = np.array([one.is_wanted for one in given], np.float64)
    index = np.minimum((stated * _BINS).astype(int), _BINS - 1)
    found = []
    for number in range(_BINS):
        here = index == number
        total = float(weight[here].sum())
        if total > 0:
            found.append(
                Bin(
                    number * 100 // _BINS,
                    total,
                    float(weight[here] @ stated[here]) / total,
                    float(weight[here] @ wanted[here]) / total,
                )
            )
    return found


def ece(given: Sequence[Bin]) -> float:
    """Expected calibration error: how far shares are from what was stated, by events."""
    total = sum(one.events for one in given)
    return sum(one.events * abs(one.stated - one.wanted) for one in given) / total if total else 0.0


_PAGE = """# Confidence

Written by `groundwatch model calibrate`; not to be edited. What an alarm's confidence means
is in [tracking](tracking.md#what-an-alarms-confidence-means), why it is built so in
[ADR 0038](adr/0038-evidence-of-several-nodes.md).

{sites} random sites of the family that the nodes' model is grown on, with seeds of their own
(`tools/score/nuisances.py`). Every fifth is held out. Weights were fitted to {events} events,
{unwanted} of them unwanted; the diagram below is of {tested} events of the sites that were held
out, {tested_unwanted} of them unwanted.

## Reliability on held-out sites

Expected calibration error {ece:.3f} (goal: at most {goal:g}: {verdict}).

| stated | events | mean stated | wanted (95 %) | stated, then wanted |
|---|---|---|---|---|
{bins}

## Weights

Log-odds. A sign for an event weighs at least 0, one against it at most 0. Another node, a PIR, an
order and time weigh at least what `tools/score/weighing.py` states. `had` is how many events of the
fit had the sign; where they are few, the weight stays near the one stated there (L2, strength
{ridge:g}).

| sign | weight | had, wanted | had, unwanted |
|---|---|---|---|
{weights}

## Sites that the fit did not use

Mean log-loss of an event, five folds by site. A product of two signs has a weight if it gains at
least 0.002.

| fit | log-loss |
|---|---|
{losses}
"""


def page(choice: Choice, fitted: Sequence[Sample], tested: Sequence[Sample], sites: int) -> str:
    """The report in Markdown."""
    found = bins(choice, tested)
    error = ece(found)
    return _PAGE.format(
        sites=sites,
        events=_events(fitted),
        unwanted=_unwanted(fitted),
        tested=_events(tested),
        tested_unwanted=_unwanted(tested),
        ece=error,
        goal=GOAL_ECE,
        verdict="reached" if error <= GOAL_ECE else "missed",
        bins="\n".join(map(_row, found)),
        ridge=choice.ridge,
        weights="\n".join(_weights(choice, fitted)),
        losses="\n".join(f"| {name} | {loss:.4f} |" for name, loss in choice.losses),
    )


def _events(given: Sequence[Sample]) -> int:
    return len({one.event for one in given})


def _unwanted(given: Sequence[Sample]) -> str:
    return f"{sum(one.weight for one in given if not one.is_wanted):.0f}"


def _row(one: Bin) -> str:
    figure = share(round(one.wanted * one.events), max(1, round(one.events)))
    low, high = 100 * figure.low, 100 * figure.high
    bars = f"`{'#' * round(_BAR * one.stated):{_BAR}}` `{'#' * round(_BAR * one.wanted):{_BAR}}`"
    return (
        f"| {one.from_pct}-{one.from_pct + 100 // _BINS} % | {one.events:.1f} "
        f"| {100 * one.stated:.1f} % | {100 * one.wanted:.1f} % ({low:.1f}-{high:.1f}) | {bars} |"
    )


def _weights(choice: Choice, given: Sequence[Sample]) -> list[str]:
    rows = [f"| prior | {choice.weights.prior:g} | | |"]
    for index, kind in enumerate(KINDS):
        had = [(one.weight, one.is_wanted) for one in given if one.signs[index]]
        wanted = sum(weight for weight, is_wanted in had if is_wanted)
        unwanted = sum(weight for weight, is_wanted in had if not is_wanted)
        value = getattr(choice.weights, kind)
        rows.append(f"| {kind} | {value:g} | {wanted:.0f} | {unwanted:.0f} |")
    rows += [f"| {a} x {b} | {value:g} | | |" for a, b, value in choice.weights.products]
    return rows
