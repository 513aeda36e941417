# SPDX-License-Identifier: MIT
# Written by `groundwatch calibrate-confidence`; not to be edited.
"""Fusion: what each sign adds to the log-odds that an operator must know of an event.

Fitted to 813 events of simulated sites, 442 of them wanted; beside each weight, how many
had the sign.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-odds of an event with no sign at all, then of each sign by its name in `signs`;
    `products` are of two signs together."""

    prior: float = -1.29
    node: float = 1.5  # 508
    others: float = 0.2  # 323
    pair: float = 0.3  # 329
    pir: float = 0.5  # 167
    unnamed: float = 0.2  # 32
    lone: float = 0.3  # 0
    sure: float = 0  # 301
    way: float = 0  # 131
    order: float = 1  # 104
    lasting: float = 0.3  # 614
    enduring: float = 0.77  # 11
    far: float = -3  # 91
    blast: float = -1.93  # 0
    wave: float = -3  # 26
    noisy: float = -0.08  # 511
    digging: float = 0  # 72
    swaying: float = 0  # 42
    dug: float = 1.83  # 20
    false_peaks: float = -0.2  # 14
    products: tuple[tuple[str, str, float], ...] = ()
