# SPDX-License-Identifier: MIT
"""Intake: quarantine: the first bytes of rejected messages, for the analysis of an attack.

Bounded in rate and number: a flood adds no rows beyond these.
"""

from __future__ import annotations

from gateway.store.interface import QuarantineRow, Snapshot, Writes

HEAD_BYTES = 64
_MAX_TOPIC = 64
_WINDOW_US = 60_000_000
_MAX_ALL, _MAX_CELL = 100, 10  # rows in a window: together, and for one reason and node


class Quarantine:
    """Numbers rows here, so that a commit which is repeated adds no second one."""

    def __init__(self) -> None:
        self._last_id = 0
        self._rows: list[QuarantineRow] = []
        self._since_us = 0
        self._seen: dict[tuple[str, str], int] = {}
        self._count = 0

    def add(self, arrival_us: int, reason: str, node: str, topic: str, payload: bytes) -> None:
        """Keep the head of it, below the limits of this minute."""
        if not 0 <= arrival_us - self._since_us < _WINDOW_US:
            self._since_us, self._count = arrival_us, 0
            self._seen.clear()
        number = self._seen.get((reason, node), 0)
        if self._count >= _MAX_ALL or number >= _MAX_CELL:
            return
        self._count += 1
        self._seen[(reason, node)] = number + 1
        self._last_id += 1
        plain = "".join(c if c.isprintable() else "?" for c in topic[:_MAX_TOPIC])
        head = payload[:HEAD_BYTES]
        self._rows.append(
            QuarantineRow(self._last_id, arrival_us, reason, node, plain, len(payload), head)
        )

    def collect(self, writes: Writes) -> None:
        """Deliver the rows since the last call."""
        writes.quarantine += self._rows
        self._rows = []

    def restore(self, snapshot: Snapshot) -> None:
        """Go on with the numbers."""
        self._last_id = snapshot.last_quarantine_id
