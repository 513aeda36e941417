# SPDX-License-Identifier: MIT
"""Train: how much evidence the node must have, from ground that it was not trained on.

A day of quiet ground holds few false alarms to count, so their rate is carried on beyond what was
heard: the heights of a noise's peaks over a threshold fall off exponentially (Pickands, Ann. Stat.
3, 119, with shape 0), and the limit is where that tail meets the rate that is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.train.listen import CLASSES, LEFT_OUT, Heard

Scored = list[tuple[Heard, NDArray[np.int32]]]
HOP_S = 0.512
# On ground of which most is wind, rain or machines. Of vehicles more: what hums is on in a third of
# these sites all day long, and no real one has that.
FALSE_PER_DAY = {"person": 0.5, "group": 0.5, "animal": 0.5, "vehicle": 2.5, "digging": 0.5}
KEEP = -40  # an activity lives on above this: below one half, and above what quiet ground gives
_CLIP, _QUICK = 384, 2  # as ugs.detect.verdict
_LEAST, _MOST = 112, 320
_TAIL = 64  # peaks above one unit of log-odds make the tail
_APART = 25  # hops between peaks that count as two
_AFTER = 20  # hops = 10 s: what fades after somebody has gone is no noise
_UNIT = 4  # a limit counts four sixty-fourths of log-odds, and 128 is none


def evidence(scores: NDArray[np.int32]) -> NDArray[np.int64]:
    """(n, 5): the accounts of ugs.detect.verdict over consecutive hops of one node."""
    above = np.clip(scores[:, 1:] - scores[:, :1], -_CLIP, _CLIP).astype(np.int64) << 4
    out = np.empty_like(above)
    account = np.zeros(above.shape[1], np.int64)
    for hop, level in enumerate(above):
        account = account + ((level - account) >> _QUICK)
        out[hop] = account
    return np.asarray(out >> 4)


@dataclass(frozen=True)
class Peaks:
    """Highest accounts of every quarter minute of quiet ground: `levels` by class, `days` of it."""

    levels: dict[int, list[int]]
    days: float


def quiet_peaks(heard: Scored) -> Peaks:
    """Peaks of evidence where nobody was to be heard. `heard` comes with its scores."""
    levels: dict[int, list[int]] = {index: [] for index in range(1, len(CLASSES))}
    hops = 0
    for labels, scores in _by_node(heard):
        found = evidence(scores)
        quiet = _quiet(labels)
        hops += int(quiet.sum())
        for index, heights in levels.items():
            account = np.where(quiet, found[:, index - 1], -_CLIP)
            heights += [int(account[at]) for at in _summits(account)]
    return Peaks(levels, hops * HOP_S / 86_400)


def _quiet(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Hops of nothing, and of nothing for ten seconds before."""
    since = np.arange(labels.size)
    last = np.maximum.accumulate(np.where(labels == 0, -_AFTER - 1, since))
    return np.asarray(since - last > _AFTER)


def _summits(best: NDArray[np.int64]) -> list[int]:
    """Where evidence above nothing is highest, each a quarter minute from the others."""
    left, found = best.copy(), []
    while left.size and left.max() > 0:
        at = int(left.argmax())
        found.append(at)
        left[max(0, at - _APART) : at + _APART] = -_CLIP
    return found


def limit(levels: list[int], days: float, per_day: float) -> int:
    """The evidence that noise passes `per_day` times a day, in 1/64 of log-odds."""
    over = [level - _TAIL for level in levels if level > _TAIL]
    if not over:
        return _LEAST
    mean = float(np.mean(over))
    wanted = _TAIL + mean * math.log(max(1.0, len(over) / days / per_day))
    return int(min(_MOST, max(_LEAST, wanted)))


def limits(peaks: Peaks) -> bytes:
    """The verdict's eight bytes of a model: an onset for each class, and what keeps it alive."""
    onsets = [
        limit(peaks.levels[index], peaks.days, FALSE_PER_DAY[CLASSES[index]])
        for index in range(1, len(CLASSES))
    ]
    return bytes([*(128 + onset // _UNIT for onset in onsets), 128 + KEEP // _UNIT, 0, 0])


def detected(heard: Scored, limits: bytes) -> dict[str, tuple[int, int]]:
    """(found, of) stretches of ground on which each class was to be heard for 2 s or more."""
    found = {name: [0, 0] for name in CLASSES[1:]}
    onsets = np.array([(limits[index] - 128) * _UNIT for index in range(5)])
    for labels, scores in _by_node(heard):
        sure = np.any(evidence(scores) > onsets, axis=1)
        for index in range(1, len(CLASSES)):
            for part in _stretches(labels, index):
                cell = found[CLASSES[index]]
                cell[0] += bool(sure[part[0] : part[-1] + 6].any())
                cell[1] += 1
    return {name: (hits, of) for name, (hits, of) in found.items()}


def _by_node(heard: Scored) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int32]]]:
    """Labels and scores of one node after another."""
    for one, scores in heard:
        for node in np.unique(one.node):
            own = one.node == node
            yield one.labels[own], scores[own]


def _stretches(labels: NDArray[np.uint8], index: int) -> list[NDArray[np.int64]]:
    """The hops of each stretch of a class that was to be heard for 2 s or more."""
    hops = np.flatnonzero(labels == index)
    parts = np.split(hops, np.flatnonzero(np.diff(hops) > 40) + 1)
    return [part for part in parts if part.size >= 4]


def confusion(heard: Scored) -> NDArray[np.int64]:
    """(6, 6): hops of each class (rows) by what scores highest (columns)."""
    table = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    for one, scores in heard:
        told = one.labels != LEFT_OUT
        np.add.at(table, (one.labels[told], scores[told].argmax(axis=1)), 1)
    return table
