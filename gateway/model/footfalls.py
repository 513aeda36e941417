# SPDX-License-Identifier: MIT
"""Model: footfall arrival times at a node, by a synchronised clock."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from gateway.model.detection import ActivityId


@dataclass(frozen=True, slots=True, order=True)
class Footfall:
    """One arrival: UTC within `error_us`, and its peak."""

    at_us: int
    error_us: int
    peak_um_s: float


# The log keeps the name that its first version wrote.
class Footfalls(msgspec.Struct, frozen=True, rename={"footfalls": "heard"}):
    """What one message reports of an activity."""

    activity: ActivityId
    footfalls: tuple[Footfall, ...]
