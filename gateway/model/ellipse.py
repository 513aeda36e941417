# SPDX-License-Identifier: MIT
"""Model: the ellipse about a stated place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Holds a place, which is its middle, in 95 of 100 cases: half axes in metres, and the bearing
    of the longer one, 0 (north) to 180 degrees."""

    major_m: float
    minor_m: float
    bearing_deg: float
