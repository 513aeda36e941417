# SPDX-License-Identifier: MIT
# Written by `groundwatch calibrate-confidence`; not to be edited.
"""The map table: what each sign adds to the log-odds that an operator must know of an event.

Fitted to 384 events of simulated sites, 302 of them wanted; beside each weight, how many
had the sign.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-odds of an event with no sign at all, then of each sign by its name in `evidence`."""

    prior: float = 0.44
    node: float = 1.7  # 384
    others: float = 0  # 228
    pair: float = 0.05  # 227
    pir: float = 1.01  # 108
    lone: float = 0.5  # 0
    sure: float = 0.06  # 275
    way: float = 0.46  # 110
    far: float = -7.28  # 2
    blast: float = -2.12  # 6
    noisy: float = 0  # 136
    digging: float = -3.78  # 94
    swaying: float = -1.37  # 51
    dug: float = 2.61  # 15
