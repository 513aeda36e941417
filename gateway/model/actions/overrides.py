# SPDX-License-Identifier: MIT
"""Model: operator actions in force: masks, authorised activity, overrides; each ends by itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Mask:
    """Intrusion alarms of these sectors or nodes are recorded and shown, not sounded.

    Times are UTC microseconds; `until_us` is never open.
    """

    id: int
    owner: str
    reason: str
    from_us: int
    until_us: int
    sectors: tuple[str, ...]
    nodes: tuple[str, ...]

    def __str__(self) -> str:
        return f"mask {self.id} by {self.owner}: {self.reason}"


class Purpose(Enum):
    """Purpose of authorised activity."""

    PATROL = "patrol"
    WALK_TEST = "walk_test"


@dataclass(frozen=True, slots=True)
class Walk:
    """Authorised activity: its alarms are marked, never dropped.

    `crossings`: how often a walk test crosses each of the sectors; it is scored by them.
    """

    id: int
    purpose: Purpose
    who: str
    by: str
    from_us: int
    until_us: int
    sectors: tuple[str, ...]
    crossings: int

    def __str__(self) -> str:
        return f"{self.purpose.value.replace('_', ' ')} {self.id}: {self.who}"


@dataclass(frozen=True, slots=True)
class Override:
    """A sector is armed or disarmed against its schedule."""

    id: int
    sector: str
    armed: bool
    by: str
    reason: str
    from_us: int
    until_us: int
