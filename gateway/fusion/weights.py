# SPDX-License-Identifier: MIT
# Written by `groundwatch calibrate-confidence`; not to be edited.
"""The map table: what each sign adds to the log-odds that an operator must know of an event.

Fitted to 436 events of simulated sites, 334 of them wanted; beside each weight, how many
had the sign.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-odds of an event with no sign at all, then of each sign by its name in `evidence`."""

    prior: float = 0.15
    node: float = 1.85  # 436
    others: float = 0.06  # 255
    pair: float = 0.5  # 253
    pir: float = 0.49  # 119
    lone: float = 0.5  # 0
    sure: float = 0.53  # 267
    way: float = 0.26  # 124
    far: float = -7  # 3
    blast: float = -1.73  # 7
    noisy: float = 0  # 159
    digging: float = -3.84  # 122
    swaying: float = -1.21  # 60
