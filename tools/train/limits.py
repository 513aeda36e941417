# SPDX-License-Identifier: MIT
"""Train: how much evidence the node must have, from ground that it was not trained on.

A day of quiet ground holds few false alarms to count, so their rate is carried on beyond what was
seen: the heights of a noise's peaks over a high threshold follow a generalised Pareto distribution
(Pickands, Ann. Stat. 3, 119), and the limit is where that tail meets the rate that is asked for.
Its uncertainty comes from fits to samples drawn from the fit (parametric bootstrap).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tools.errors import UserError
from tools.train.listen import CLASSES, LEFT_OUT, Hops

Scored = list[tuple[Hops, NDArray[np.int32]]]
HOP_S = 0.512
# On ground of which most is wind, rain, machines or shocks. More for persons: half a false onset a
# day fewer loses a tenth of them on wild ground. More for vehicles: in a third of these sites a
# machine hums all day, unlike on real sites. More for digging: the verdict also requires strokes
# that repeat (ADR 37), which single shocks do not.
FALSE_PER_DAY = {"person": 1.0, "group": 0.5, "animal": 0.5, "vehicle": 2.5, "digging": 2.5}
KEEP = -40  # an activity lives on above this: below one half, and above what quiet ground gives
_CLIP, _QUICK = 384, 2  # as ugs.detect.verdict
# Even odds, and the most that clipped evidence can reach: a limit lies between.
_MIN_LIMIT, _MAX_LIMIT = 0, 376
_BASE = -192  # peaks are looked for above three units below even odds
# How many of the peaks form the tail: from 100 on, the middle of the distribution distorts it.
_TAIL_SHARE, _MIN_TAIL, _MAX_TAIL = 0.2, 30, 50
_SHAPES = (-0.5, 0.3)  # of the tail: heights are bounded by the clip
_DRAWS = 200
_APART = 25  # hops between peaks that count as two
_AFTER = 20  # hops = 10 s: a signal that fades after a target has left is no noise
_UNIT = 4  # a limit counts four sixty-fourths of log-odds, and 128 is none


def evidence(scores: NDArray[np.int32]) -> NDArray[np.int64]:
    """(n, 5): the class evidence of ugs.detect.verdict over consecutive hops of one node."""
    above = np.clip(scores[:, 1:] - scores[:, :1], -_CLIP, _CLIP).astype(np.int64) << 4
    out = np.empty_like(above)
    mean = np.zeros(above.shape[1], np.int64)
    for hop, level in enumerate(above):
        mean = mean + ((level - mean) >> _QUICK)
        out[hop] = mean
    return np.asarray(out >> 4)


@dataclass(frozen=True)
class Peaks:
    """Highest evidence in every quarter minute of quiet ground: `levels` by class, `days` of it."""

    levels: dict[int, list[int]]
    days: float


def quiet_peaks(given: Scored) -> Peaks:
    """Peaks of evidence where no target was audible."""
    levels: dict[int, list[int]] = {index: [] for index in range(1, len(CLASSES))}
    hops = 0
    for labels, scores in _by_node(given):
        found = evidence(scores)
        quiet = _quiet(labels)
        hops += int(quiet.sum())
        for index, heights in levels.items():
            own = np.where(quiet, found[:, index - 1], -_CLIP)
            heights += [int(own[at]) for at in _summits(own)]
    return Peaks(levels, hops * HOP_S / 86_400)


def _quiet(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Hops of nothing, and of nothing for ten seconds before."""
    since = np.arange(labels.size)
    last = np.maximum.accumulate(np.where(labels == 0, -_AFTER - 1, since))
    return np.asarray(since - last > _AFTER)


def _summits(best: NDArray[np.int64]) -> list[int]:
    """Where evidence is highest, each a quarter minute from the others."""
    left, found = best.copy(), []
    while left.size and left.max() > _BASE:
        at = int(left.argmax())
        found.append(at)
        left[max(0, at - _APART) : at + _APART] = -_CLIP
    return found


@dataclass(frozen=True)
class Limit:
    """Evidence in 1/64 of log-odds that noise passes at the wanted rate: `value`, and the span of
    90 % of the fits to samples of the same size."""

    value: float
    low: float
    high: float
    peaks: int


def limit(levels: list[int], days: float, per_day: float, seed: int = 0) -> Limit:
    """By the tail of `levels`, peaks of `days` of quiet ground. Raises UserError for too few."""
    if len(levels) < _MIN_TAIL:
        raise UserError(
            f"{len(levels)} peaks of quiet ground are too few for a limit: take more with --check"
        )
    ordered = np.sort(np.asarray(levels, np.float64))[::-1]
    count = int(np.clip(_TAIL_SHARE * ordered.size, _MIN_TAIL, _MAX_TAIL))
    base = float(ordered[count - 1])
    over = ordered[:count] - base + 0.5  # heights are whole numbers
    share = min(1.0, per_day * days / count)
    shape, scale = _tail(over)
    rng = np.random.default_rng([seed, 45])
    drawn = []
    for _ in range(_DRAWS):
        sample = stats.genpareto.rvs(shape, scale=scale, size=count, random_state=rng)
        drawn.append(_height(*_tail(sample), share))
    low, high = np.quantile(drawn, [0.05, 0.95])
    return Limit(base + _height(shape, scale, share), base + low, base + high, len(levels))


def _tail(over: NDArray[np.float64]) -> tuple[float, float]:
    """Shape and scale by probability-weighted moments (Hosking & Wallis, Technometrics 29, 339)."""
    ordered = np.sort(over)
    n = ordered.size
    mean = float(ordered.mean())
    weights = (n - np.arange(1, n + 1)) / (n - 1)
    weighted = float(np.mean(weights * ordered))
    shape = 2 - mean / (mean - 2 * weighted)
    shape = float(np.clip(shape, *_SHAPES))
    return shape, mean * (1 - shape)


def _height(shape: float, scale: float, share: float) -> float:
    """What `share` of the tail's peaks exceed."""
    return float(stats.genpareto.isf(share, shape, scale=scale))


def limits(found: dict[str, Limit]) -> bytes:
    """The verdict's eight bytes of a model: an onset for each class, and the limit that keeps it.

    Raises UserError for a limit at the edge of what the node can hold: it would have no effect.
    """
    onsets = []
    for name in CLASSES[1:]:
        value = found[name].value
        if not _MIN_LIMIT < value < _MAX_LIMIT:
            raise UserError(
                f"the limit of {name} is {value / 64:.2f}, outside {_MIN_LIMIT / 64}.."
                f"{_MAX_LIMIT / 64}: these sites are too quiet or too loud for it"
            )
        onsets.append(math.ceil(value / _UNIT))
    return bytes([*(128 + onset for onset in onsets), 128 + KEEP // _UNIT, 0, 0])


def fitted(peaks: Peaks) -> dict[str, Limit]:
    """The limit of each class."""
    return {
        name: limit(peaks.levels[index], peaks.days, FALSE_PER_DAY[name], index)
        for index, name in enumerate(CLASSES)
        if index
    }


def detected(given: Scored, limits: bytes) -> dict[str, tuple[int, int]]:
    """(found, of) stretches of ground on which each class was audible for 2 s or more."""
    found = {name: [0, 0] for name in CLASSES[1:]}
    onsets = np.array([(limits[index] - 128) * _UNIT for index in range(5)])
    for labels, scores in _by_node(given):
        sure = np.any(evidence(scores) > onsets, axis=1)
        for index in range(1, len(CLASSES)):
            for part in _stretches(labels, index):
                cell = found[CLASSES[index]]
                cell[0] += bool(sure[part[0] : part[-1] + 6].any())
                cell[1] += 1
    return {name: (hits, of) for name, (hits, of) in found.items()}


def _by_node(given: Scored) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int32]]]:
    """Labels and scores of one node after another."""
    for one, scores in given:
        for node in np.unique(one.node):
            own = one.node == node
            yield one.labels[own], scores[own]


def _stretches(labels: NDArray[np.uint8], index: int) -> list[NDArray[np.int64]]:
    """The hops of each stretch of a class that was audible for 2 s or more."""
    hops = np.flatnonzero(labels == index)
    parts = np.split(hops, np.flatnonzero(np.diff(hops) > 40) + 1)
    return [part for part in parts if part.size >= 4]


def confusion(given: Scored) -> NDArray[np.int64]:
    """(6, 6): hops of each class (rows) by what scores highest (columns)."""
    table = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    for one, scores in given:
        is_labelled = one.labels != LEFT_OUT
        np.add.at(table, (one.labels[is_labelled], scores[is_labelled].argmax(axis=1)), 1)
    return table
