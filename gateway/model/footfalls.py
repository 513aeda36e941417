# SPDX-License-Identifier: MIT
"""Model: when single steps arrived at a node, by a clock that is known to be good."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.detection import ActivityId


@dataclass(frozen=True, slots=True, order=True)
class Footfall:
    """One arrival: UTC within `error_us`, and how loud it was."""

    at_us: int
    error_us: int
    peak_um_s: float


@dataclass(frozen=True, slots=True)
class Footfalls:
    """What one message tells of an activity."""

    activity: ActivityId
    heard: tuple[Footfall, ...]
