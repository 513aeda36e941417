# SPDX-License-Identifier: MIT
"""Train: boosted trees on labelled hops, and the bytes that a node evaluates.

scikit-learn's histogram gradient boosting on features that are bytes already: each threshold is a
byte as well, and a branch fits four.
"""

from __future__ import annotations

import struct
from binascii import crc32
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_hardware.fastpath import FEATURES
from tools.train.listen import CLASSES

UNIT = 64  # of a score, for one unit of log-odds
BYTES_MAX = 25_600
# A node reads the trees where they lie in flash: what more of them cost is time, not heap.
_ROUNDS, _LEAVES, _RATE = 44, 14, 0.15
_LEAF = 255


@dataclass(frozen=True)
class Branch:
    """One tree in memory order: left child next, right child by offset; `value` for a leaf."""

    feature: int
    threshold: int
    left: Branch | float
    right: Branch | float


@dataclass(frozen=True)
class Trees:
    """`prior` log-odds per class; `rounds[i][c]` is the tree of round i for class c."""

    prior: tuple[float, ...]
    rounds: tuple[tuple[Branch | float, ...], ...]


def fit(
    features: NDArray[np.uint8], labels: NDArray[np.uint8], weights: NDArray[np.float64], seed: int
) -> Trees:
    """Boost trees on hops. `labels` index CLASSES; every class must occur."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # an extra, and seconds to import

    model = HistGradientBoostingClassifier(
        max_iter=_ROUNDS,
        max_leaf_nodes=_LEAVES,
        learning_rate=_RATE,
        min_samples_leaf=60,
        l2_regularization=3.0,
        max_features=0.4,
        early_stopping=False,
        random_state=seed,
    )
    model.fit(features, labels, sample_weight=weights)
    prior = tuple(float(x) for x in np.ravel(model._baseline_prediction))
    rounds = tuple(
        tuple(_tree(predictor.nodes, 0) for predictor in row) for row in model._predictors
    )
    return Trees(prior, rounds)


def _tree(nodes: Any, index: int) -> Branch | float:
    node = nodes[index]
    if node["is_leaf"]:
        return float(node["value"])
    return Branch(
        int(node["feature_idx"]),
        int(np.floor(node["num_threshold"])),
        _tree(nodes, int(node["left"])),
        _tree(nodes, int(node["right"])),
    )


def scores(trees: Trees, features: NDArray[np.uint8]) -> NDArray[np.int32]:
    """(n, classes) as a node has them: integers, UNIT for one unit of log-odds."""
    out = np.tile(_quantized_prior(trees), (len(features), 1)).astype(np.int32)
    for row in trees.rounds:
        for target, tree in enumerate(row):
            _add(tree, features, np.arange(len(features)), out[:, target])
    return out


def _add(
    tree: Branch | float, features: NDArray[np.uint8], at: NDArray[np.int64], out: NDArray[np.int32]
) -> None:
    if isinstance(tree, float):
        out[at] += _leaf(tree)
        return
    low = features[at, tree.feature] <= tree.threshold
    _add(tree.left, features, at[low], out)
    _add(tree.right, features, at[~low], out)


def _leaf(value: float) -> int:
    return int(np.clip(round(value * UNIT), -128, 127))


def _quantized_prior(trees: Trees) -> list[int]:
    return [round(value * UNIT) for value in trees.prior]


def pack(trees: Trees, version: int, limits: Sequence[int]) -> bytes:
    """The model as ugs.detect.forest reads it; `limits` are the verdict's eight bytes."""
    flat = [tree for row in trees.rounds for tree in row]
    body = struct.pack("<6h", *_quantized_prior(trees))
    for tree in flat:
        data = _packed(tree)
        body += struct.pack("<H", len(data)) + data
    head = b"GWF1" + struct.pack("<BBH", version, FEATURES, len(flat)) + bytes(limits)
    packed = head + struct.pack("<I", crc32(body)) + body
    if len(packed) > BYTES_MAX or len(trees.prior) != len(CLASSES):
        raise ValueError(f"a model of {len(packed)} bytes; a node takes {BYTES_MAX}")
    return packed


def _packed(tree: Branch | float) -> bytes:
    if isinstance(tree, float):
        return bytes([_LEAF, 128 + _leaf(tree)])
    left, right = _packed(tree.left), _packed(tree.right)
    return struct.pack("<BBH", tree.feature, tree.threshold, 4 + len(left)) + left + right
