# SPDX-License-Identifier: MIT
# Written by `groundwatch calibrate-confidence`; not to be edited.
"""Fusion: what each sign adds to the log-odds that an operator must know of an event.

Fitted to 330 events of simulated sites, 320 of them wanted; beside each weight, how many
had the sign.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-odds of an event with no sign at all, then of each sign by its name in `signs`."""

    prior: float = 0.95
    node: float = 1.78  # 330
    others: float = 0  # 227
    pair: float = 0  # 225
    pir: float = 1  # 106
    unnamed: float = 0.5  # 0
    lone: float = 0.5  # 0
    sure: float = 0.06  # 283
    way: float = 0.42  # 114
    order: float = 1.5  # 0
    lasting: float = 0.5  # 0
    enduring: float = 1.0  # 0
    far: float = -7.21  # 4
    blast: float = -2.21  # 6
    wave: float = -5  # 0
    noisy: float = 0  # 92
    digging: float = -3.11  # 29
    swaying: float = -1.29  # 2
    dug: float = 2.61  # 15
    false_peaks: float = -0.5  # 0
    products: tuple[tuple[str, str, float], ...] = ()
