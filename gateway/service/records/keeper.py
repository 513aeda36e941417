# SPDX-License-Identifier: MIT
"""The door, behind it: when to look for what is older than it may be."""

from __future__ import annotations

from gateway.config.retention import Retention

PERIOD_US = 3600 * 1_000_000  # so late after midnight a gateway that runs through it looks, at most


class Keeper:
    """While something is found, it is looked again at once; then the store is to be tidied."""

    def __init__(self, retention: Retention) -> None:
        self.retention = retention
        self.untidy = False
        self._looked_us: int | None = None

    def due(self, now_us: int) -> bool:
        """Whether to look now. A clock that was set makes it look at once."""
        return self._looked_us is None or abs(now_us - self._looked_us) >= PERIOD_US

    def looked(self, now_us: int, found: bool) -> None:
        """It was looked, and something was found or nothing."""
        self._looked_us = None if found else now_us
        self.untidy = self.untidy or found
