# SPDX-License-Identifier: MIT
"""Train: how much evidence the node must have, from ground that it was not trained on.

A day of quiet ground holds few false alarms to count, so their rate is carried on beyond what was
heard: the heights of a noise's peaks over a threshold fall off exponentially (Pickands, Ann. Stat.
3, 119, with shape 0), and the limit is where that tail meets the rate that is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.train.listen import CLASSES, LEFT_OUT, Heard

Scored = list[tuple[Heard, NDArray[np.int32]]]
HOP_S = 0.512
# Of each class, on ground of which most is wind, rain or machines: 2.5 of all where 3 are allowed.
FALSE_PER_DAY = 0.5
KEEP = -40  # an activity lives on above this: below one half, and above what quiet ground gives
_CLIP, _QUICK = 384, (2, 2, 2, 3, 2)  # as ugs.detect.verdict
_LEAST, _MOST = 112, 320
_TAIL = 64  # peaks above one unit of log-odds make the tail
_APART = 25  # hops between peaks that count as two
_UNIT = 4  # a limit counts four sixty-fourths of log-odds, and 128 is none


def evidence(scores: NDArray[np.int32]) -> NDArray[np.int64]:
    """(n, 5): the accounts of ugs.detect.verdict over consecutive hops of one node."""
    above = np.clip(scores[:, 1:] - scores[:, :1], -_CLIP, _CLIP).astype(np.int64) << 4
    out = np.empty_like(above)
    account = np.zeros(above.shape[1], np.int64)
    shifts = np.array(_QUICK)
    for hop, level in enumerate(above):
        account = account + ((level - account) >> shifts)
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
    for one, scores in heard:
        for node in np.unique(one.node):
            own = one.node == node
            found = evidence(scores[own])
            quiet = one.labels[own] == 0
            hops += int(quiet.sum())
            for index, heights in levels.items():
                account = np.where(quiet, found[:, index - 1], -_CLIP)
                heights += [int(account[at]) for at in _summits(account)]
    return Peaks(levels, hops * HOP_S / 86_400)


def _summits(best: NDArray[np.int64]) -> list[int]:
    """Where evidence above nothing is highest, each a quarter minute from the others."""
    left, found = best.copy(), []
    while left.size and left.max() > 0:
        at = int(left.argmax())
        found.append(at)
        left[max(0, at - _APART) : at + _APART] = -_CLIP
    return found


def limit(levels: list[int], days: float) -> int:
    """The evidence that noise passes FALSE_PER_DAY times a day, in 1/64 of log-odds."""
    over = [level - _TAIL for level in levels if level > _TAIL]
    if not over:
        return _LEAST
    mean = float(np.mean(over))
    wanted = _TAIL + mean * math.log(max(1.0, len(over) / days / FALSE_PER_DAY))
    return int(min(_MOST, max(_LEAST, wanted)))


def limits(peaks: Peaks) -> bytes:
    """The verdict's eight bytes of a model: an onset for each class, and what keeps it alive."""
    onsets = [limit(peaks.levels[index], peaks.days) for index in range(1, len(CLASSES))]
    return bytes([*(128 + onset // _UNIT for onset in onsets), 128 + KEEP // _UNIT, 0, 0])


def detected(heard: Scored, limits: bytes) -> dict[str, tuple[int, int]]:
    """(found, of) stretches of ground on which each class was to be heard for 2 s or more."""
    found = {name: [0, 0] for name in CLASSES[1:]}
    for one, scores in heard:
        for node in np.unique(one.node):
            own = one.node == node
            accounts, labels = evidence(scores[own]), one.labels[own]
            onsets = np.array([(limits[index] - 128) * _UNIT for index in range(5)])
            sure = np.any(accounts > onsets, axis=1)
            for index in range(1, len(CLASSES)):
                hops = np.flatnonzero(labels == index)
                for part in np.split(hops, np.flatnonzero(np.diff(hops) > 40) + 1):
                    if part.size >= 4:
                        cell = found[CLASSES[index]]
                        cell[0] += bool(sure[part[0] : part[-1] + 6].any())
                        cell[1] += 1
    return {name: (hits, of) for name, (hits, of) in found.items()}


def confusion(heard: Scored) -> NDArray[np.int64]:
    """(6, 6): hops of each class (rows) by what scores highest (columns)."""
    table = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    for one, scores in heard:
        told = one.labels != LEFT_OUT
        np.add.at(table, (one.labels[told], scores[told].argmax(axis=1)), 1)
    return table
