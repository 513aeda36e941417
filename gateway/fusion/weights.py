# SPDX-License-Identifier: MIT
# Written by `groundwatch model calibrate`; not to be edited.
"""Fusion: what each sign adds to the log-odds that an operator must know of an event.

Fitted to 57 events of simulated sites, 48 of them wanted; beside each weight, how many
had the sign.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-odds of an event with no sign at all, then of each sign by its name in `signs`;
    `products` are of two signs together."""

    prior: float = 0.17
    node: float = 1.48  # 52
    others: float = 0.2  # 36
    pair: float = 0.3  # 35
    pir: float = 1.01  # 12
    unnamed: float = 0.3  # 0
    sure: float = 0.3  # 33
    way: float = 0.36  # 13
    order: float = 1.44  # 10
    lasting: float = 0.32  # 45
    enduring: float = 1  # 1
    far: float = -6  # 0
    blast: float = -2  # 0
    wave: float = -4.56  # 3
    noisy: float = -0.45  # 28
    digging: float = -1.48  # 7
    swaying: float = -0.78  # 2
    dug: float = 2.02  # 3
    false_peaks: float = -0.34  # 2
    products: tuple[tuple[str, str, float], ...] = ()
