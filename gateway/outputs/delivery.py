# SPDX-License-Identifier: MIT
"""Outputs: what a way of telling offers, and how a failure says whether trying again may help."""

from __future__ import annotations

from typing import Any, Protocol

TIMEOUT_S = 10.0


class DeliveryError(Exception):
    """Not delivered. `again` says that it may work later, `after_s` that it will not before.

    The text goes into records and logs: no address, no secret, nothing that the other side wrote.
    """

    def __init__(self, problem: str, again: bool = True, after_s: float = 0.0) -> None:
        super().__init__(problem)
        self.again = again
        self.after_s = after_s


class Way(Protocol):
    """Delivers one notification; it may be called again with the same one."""

    async def deliver(self, body: dict[str, Any]) -> str:
        """Handed over when this returns: the receipt, in our words. Raises DeliveryError."""
