# SPDX-License-Identifier: MIT
"""Tuning: one setting of one node over time, as the node itself stated it."""

from __future__ import annotations

from collections.abc import Iterable


class Timeline:
    """From (UTC microseconds, value) pairs in any order. None as a value: the node stated no
    settings."""

    def __init__(self, stated: Iterable[tuple[int, int | None]]) -> None:
        ordered = sorted(stated, key=lambda pair: pair[0])
        self._steps: list[tuple[int, int | None]] = []
        for at_us, value in ordered:
            if not self._steps or self._steps[-1][1] != value:
                self._steps.append((at_us, value))

    @property
    def values(self) -> set[int | None]:
        """All that were ever stated."""
        return {value for _at_us, value in self._steps}

    @property
    def now(self) -> int | None:
        """The newest; None when it is unknown."""
        return self._steps[-1][1] if self._steps else None

    @property
    def changed_us(self) -> int | None:
        """When it changed last; None when no change is known."""
        return self._steps[-1][0] if len(self._steps) > 1 else None

    def at(self, at_us: int) -> int | None:
        """At a time; before the first statement what that one states."""
        found = self._steps[0][1] if self._steps else None
        for since_us, value in self._steps:
            if since_us > at_us:
                break
            found = value
        return found
