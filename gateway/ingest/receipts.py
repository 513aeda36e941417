# SPDX-License-Identifier: MIT
"""The door, outward: receipts, gathered per node so that a burst costs one message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.wire.messages import Receipt

INTERVAL_S = 0.2
_BOOTS_PER_MESSAGE = 8  # the schema's 16 numbers


class ReceiptDesk:
    """Sends a node its receipts at once, then at most one message every `INTERVAL_S`."""

    def __init__(
        self, upto: Callable[[str, int], int], send: Callable[[str, Receipt], None]
    ) -> None:
        self._upto = upto
        self._send = send
        self._due: dict[str, set[int]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def due(self, node: str, boot: int) -> None:
        """Messages of that boot are committed (or were before: the node asks again)."""
        self._due.setdefault(node, set()).add(boot)
        if node not in self._timers:
            self._tell(node)

    def close(self) -> None:
        """Stop the timers; what was not told is asked for again."""
        for timer in self._timers.values():
            timer.cancel()

    def _tell(self, node: str) -> None:
        self._timers.pop(node, None)
        boots = sorted(self._due.pop(node, ()))
        if not boots:
            return
        pairs = [(boot, upto) for boot in boots if (upto := self._upto(node, boot))]
        for start in range(0, len(pairs), _BOOTS_PER_MESSAGE):
            part = pairs[start : start + _BOOTS_PER_MESSAGE]
            self._send(node, Receipt(upto=tuple(number for pair in part for number in pair)))
        loop = asyncio.get_running_loop()
        self._timers[node] = loop.call_later(INTERVAL_S, self._tell, node)
