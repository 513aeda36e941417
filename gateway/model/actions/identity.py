# SPDX-License-Identifier: MIT
"""Model: the identity of a caller and its rights. Every act carries one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Scope(Enum):
    """What an identity may do; each includes the one before it."""

    READ = "read"  # see everything but the measured performance
    ACT = "act"  # acknowledge, mask, announce, arm
    ADMIN = "admin"  # measured performance, reload, updates, tests, exports

    @property
    def rank(self) -> int:
        """0 is the least."""
        return _ORDER.index(self)

    def covers(self, needed: Scope) -> bool:
        """Whether this scope is enough."""
        return self.rank >= needed.rank


_ORDER = (Scope.READ, Scope.ACT, Scope.ADMIN)


@dataclass(frozen=True, slots=True)
class Identity:
    """A person or a program. `session`: a person at a console, who counts as on duty."""

    name: str
    scope: Scope
    session: bool = False
