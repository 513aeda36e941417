# SPDX-License-Identifier: MIT
"""Accountability: open doubts, in store and audit. While there is one, nothing is erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.model import text
from gateway.model.actions.record import SYSTEM, Recorder
from gateway.model.doubt import Doubt
from gateway.store.interface import CLOCK, Snapshot, Writes

CLOCK_DOUBT, STORE_DOUBT = "clock", "store"
_ROW = "doubts"  # name of the state row
_EVERY_US = 600_000_000  # the last known moment is stored so often


class Doubts:
    """Open doubts by id, and the last known moment."""

    def __init__(self, audit: Recorder) -> None:
        self.open: dict[str, Doubt] = {}
        self._audit = audit
        self._changed = False
        self._known_us = 0
        self._stored_us = 0

    def begin(
        self, now_us: int, name: str, line: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """A doubt: an entry of the audit, and it stays open."""
        self.open[name] = Doubt(name, now_us, line)
        self._changed = True
        self._audit.add(now_us, SYSTEM, f"{name}.doubt", name, line, detail=detail)

    def end(
        self,
        now_us: int,
        name: str,
        by: str = SYSTEM,
        reason: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> bool:
        """A person confirmed it, or it is over by itself; False when it was not open."""
        if self.open.pop(name, None) is None:
            return False
        self._changed = True
        action = "over" if by == SYSTEM else "confirm"
        self._audit.add(now_us, by, f"{name}.{action}", name, reason, detail=detail)
        return True

    def note_time(self, now_us: int, at_once: bool = False) -> None:
        """The gateway's clock shows this: what a later start compares with."""
        self._known_us = now_us
        if at_once or abs(now_us - self._stored_us) >= _EVERY_US:
            self._stored_us = 0

    def collect(self, writes: Writes) -> None:
        """Hand over what changed since the last call."""
        if self._changed:
            writes.state[_ROW] = text.format_json(list(self.open.values())) if self.open else ""
            self._changed = False
        if self._known_us and not self._stored_us:
            writes.state[CLOCK] = str(self._known_us)
            self._stored_us = self._known_us

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from the state of an earlier run."""
        if snapshot.state.get(_ROW):
            kept = text.parse_json(snapshot.state[_ROW], list[Doubt])
            self.open = {one.id: one for one in kept}
