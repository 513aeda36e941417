# SPDX-License-Identifier: MIT
"""Service: when to look for records past their retention."""

from __future__ import annotations

from gateway.config.retention import Retention

PERIOD_US = 3600 * 1_000_000  # so late after midnight a gateway that runs through it looks, at most


class RetentionTimer:
    """While something is found, the next look is at once; then the store needs tidying."""

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
