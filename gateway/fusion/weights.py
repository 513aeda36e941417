# SPDX-License-Identifier: MIT
# Written by `groundwatch calibrate-confidence`; not to be edited.
"""The map table: what each sign adds to the log-odds that an operator must know of an event.

Fitted to 383 events of simulated sites, 301 of them wanted; beside each weight, how many
had the sign.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-odds of an event with no sign at all, then of each sign by its name in `evidence`."""

    prior: float = 0.31
    node: float = 1.84  # 383
    others: float = 0  # 228
    pair: float = 0.22  # 226
    pir: float = 0.74  # 108
    lone: float = 0.5  # 0
    sure: float = 0.02  # 274
    way: float = 0.37  # 109
    far: float = -7.28  # 2
    blast: float = -2.15  # 6
    noisy: float = 0  # 137
    digging: float = -3.63  # 93
    swaying: float = -1.58  # 50
