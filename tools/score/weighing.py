# SPDX-License-Identifier: MIT
"""Score: logistic regression of signs: bounded weights, L2, folds by site.

The strength of the regularisation, and which products of two signs have a weight, are chosen by
cross-validation: five folds, no site in two of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.model_selection import GroupKFold

from gateway.fusion.evidence.signs import KINDS
from gateway.fusion.weights import Weights
from tools.errors import UserError

FArray = NDArray[np.float64]
Product = tuple[str, str]
# Where sites leave a weight open, it stays near these: log-odds that are stated, not fitted.
_EXPECTED = {
    "prior": -0.5,
    "node": 1.0,
    "others": 0.5,
    "pair": 0.5,
    "unnamed": 0.3,
    "pir": 1.0,
    "sure": 0.3,
    "way": 0.5,
    "order": 1.5,
    "lasting": 0.5,
    "enduring": 1.0,
    "far": -6.0,
    "blast": -2.0,
    "wave": -5.0,
    "noisy": -0.2,
    "digging": -2.0,
    "swaying": -1.0,
    "dug": 2.0,
    "false_peaks": -0.5,
}
AGAINST = frozenset({"far", "blast", "wave", "noisy", "digging", "swaying", "false_peaks"})
# Minimum weight of a sign, also where few events had it: it is measured by another node, by another
# sensor, or for a longer time. Sites whose nodes are almost never wrong cannot show its value.
_FLOORS = {
    "others": 0.2,
    "pair": 0.3,
    "unnamed": 0.2,
    "pir": 0.5,
    "order": 1.0,
    "lasting": 0.3,
    "enduring": 0.5,
}
_CEILINGS = {"wave": -3.0, "far": -3.0, "false_peaks": -0.2}
# Signs that may depend on each other. A product for an event has a weight of at least 0.
CANDIDATES: tuple[Product, ...] = (
    ("node", "others"),
    ("node", "lasting"),
    ("digging", "lasting"),
    ("noisy", "false_peaks"),
    ("pair", "lasting"),
)
_RIDGES = (1.0, 3.0, 10.0, 30.0)  # one over the variance about these
_FOLDS = 5
_PAYS = 0.002  # of log-loss of an event: a product that gains less on held-out sites is left out


@dataclass(frozen=True)
class Sample:
    """One report's view of an event of one site: signs in the order of KINDS, whether it was
    wanted, and how much it counts: all reports of one event count as one."""

    site: str
    event: str
    signs: tuple[float, ...]
    is_wanted: bool
    weight: float


@dataclass(frozen=True)
class Choice:
    """Weights, and the log-loss of held-out folds for each ridge, then for each product tried."""

    weights: Weights
    ridge: float
    losses: tuple[tuple[str, float], ...]


def chosen(given: Sequence[Sample]) -> Choice:
    """The fit with the lowest held-out loss. Raises UserError where all events are of one kind."""
    if len({one.is_wanted for one in given}) < 2:
        raise UserError("no weights can be fitted: events of one kind alone show nothing")
    losses: list[tuple[str, float]] = []
    by_ridge = []
    for ridge in _RIDGES:
        loss = _held_out_loss(given, ridge, ())
        by_ridge.append((loss, ridge))
        losses.append((f"L2 of {ridge:g}", loss))
    best, ridge = min(by_ridge)
    products: tuple[Product, ...] = ()
    for product in CANDIDATES:
        loss = _held_out_loss(given, ridge, (*products, product))
        losses.append((f"{product[0]} x {product[1]}", loss))
        if loss < best - _PAYS:
            best, products = loss, (*products, product)
    return Choice(fit(given, ridge, products), ridge, tuple(losses))


def fit(given: Sequence[Sample], ridge: float = 5.0, products: Sequence[Product] = ()) -> Weights:
    """The weights at one strength of regularisation, with these products."""
    if len({one.is_wanted for one in given}) < 2:
        raise UserError("no weights can be fitted: events of one kind alone show nothing")
    beta = _fitted(matrix(given, products), *_answers(given), ridge, products)
    values = [round(float(one), 2) + 0.0 for one in beta]
    named = dict(zip(("prior", *KINDS), values, strict=False))
    pairs = tuple(
        (a, b, value) for (a, b), value in zip(products, values[1 + len(KINDS) :], strict=True)
    )
    return Weights(**named, products=pairs)


def matrix(given: Sequence[Sample], products: Sequence[Product] = ()) -> FArray:
    """A row of each sample: 1 for the prior, signs, products."""
    signs = np.array([one.signs for one in given], np.float64).reshape(len(given), len(KINDS))
    column = {kind: index for index, kind in enumerate(KINDS)}
    both = [signs[:, column[a]] * signs[:, column[b]] for a, b in products]
    return np.column_stack([np.ones(len(given)), signs, *both])


def chances(weights: Weights, given: Sequence[Sample]) -> FArray:
    """The confidence that these weights give each sample."""
    products = [(a, b) for a, b, _ in weights.products]
    beta = [weights.prior, *(getattr(weights, kind) for kind in KINDS)]
    beta += [value for _a, _b, value in weights.products]
    return np.asarray(1 / (1 + np.exp(-matrix(given, products) @ np.array(beta))))


def _answers(given: Sequence[Sample]) -> tuple[FArray, FArray]:
    wanted = np.array([one.is_wanted for one in given], np.float64)
    return wanted, np.array([one.weight for one in given], np.float64)


def _fitted(
    x: FArray, wanted: FArray, share: FArray, ridge: float, products: Sequence[Product]
) -> FArray:
    names = ("prior", *KINDS)
    expected = np.array([_EXPECTED[name] for name in names] + [0.0] * len(products))
    bounds: list[tuple[float | None, float | None]] = [(None, None)]
    bounds += [
        (None, _CEILINGS.get(kind, 0.0)) if kind in AGAINST else (_FLOORS.get(kind, 0.0), None)
        for kind in KINDS
    ]
    bounds += [(None, 0.0) if {a, b} <= AGAINST else (0.0, None) for a, b in products]

    def cost(beta: FArray) -> tuple[float, FArray]:
        z = x @ beta
        likely = np.logaddexp(0.0, z) - wanted * z
        slope = x.T @ (share * (1 / (1 + np.exp(-z)) - wanted))
        off = beta - expected
        off[0] *= 0.01  # sites alone determine the prior
        return float(share @ likely + 0.5 * ridge * off @ off), slope + ridge * off

    best = minimize(cost, expected, jac=True, bounds=bounds, method="L-BFGS-B")
    return np.asarray(best.x, np.float64)


def _held_out_loss(given: Sequence[Sample], ridge: float, products: Sequence[Product]) -> float:
    """Mean log-loss of an event on sites left out of the fit."""
    x, (wanted, share) = matrix(given, products), _answers(given)
    sites = [one.site for one in given]
    folds = min(_FOLDS, len(set(sites)))
    if folds < 2:
        return 0.0
    total = 0.0
    for known, unknown in GroupKFold(folds).split(x, wanted, sites):
        if len(set(wanted[known])) < 2:
            continue
        beta = _fitted(x[known], wanted[known], share[known], ridge, products)
        z = x[unknown] @ beta
        total += float(share[unknown] @ (np.logaddexp(0.0, z) - wanted[unknown] * z))
    return total / float(share.sum())


_TABLE = '''# SPDX-License-Identifier: MIT
# Written by `groundwatch model calibrate`; not to be edited.
"""Fusion: what each sign adds to the log-odds that an operator must know of an event.

Fitted to {events} events of simulated sites, {wanted} of them wanted; beside each weight, how many
had the sign.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-odds of an event with no sign at all, then of each sign by its name in `signs`;
    `products` are of two signs together."""

{rows}
'''


def table(weights: Weights, given: Sequence[Sample]) -> str:
    """The weights as a module."""
    had = Counter[str]()
    for one in given:
        had.update({kind: one.weight for kind, n in zip(KINDS, one.signs, strict=True) if n})
    rows = [f"    prior: float = {weights.prior:g}"]
    rows += [f"    {kind}: float = {getattr(weights, kind):g}  # {had[kind]:.0f}" for kind in KINDS]
    both = "".join(f'("{a}", "{b}", {value:g}), ' for a, b, value in weights.products)
    rows.append(f"    products: tuple[tuple[str, str, float], ...] = ({both.rstrip(' ')})")
    wanted = sum(one.weight for one in given if one.is_wanted)
    events = len({one.event for one in given})
    return _TABLE.format(events=events, wanted=f"{wanted:.0f}", rows="\n".join(rows))
