# SPDX-License-Identifier: MIT
"""Service: the enrolment log's entries, recorded in the audit once each."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.enrolment import Entry
from gateway.errors import ConfigError
from gateway.model.actions.record import Recorder
from gateway.store.interface import Snapshot, Writes

_STATE = "enrolment:entries"


class EnrolmentRecord:
    """Remembers how much of the enrolment log was recorded, so that its end cannot be cut off."""

    def __init__(self, audit: Recorder) -> None:
        self._audit = audit
        self._entries = 0
        self._dirty = False

    def take(self, entries: Sequence[Entry], now_us: int) -> None:
        """All entries of the enrolment log. Raises ConfigError when known ones are missing."""
        if len(entries) < self._entries:
            raise ConfigError(
                f"the enrolment log has {len(entries)} entries and had {self._entries}: "
                "restore it, or a revoked node may send again"
            )
        for entry in entries[self._entries :]:
            detail = {"at": entry.at, "generation": entry.generation, "board": entry.board}
            self._audit.add(
                now_us, entry.by, f"node.{entry.act.value}", entry.node, entry.why, detail=detail
            )
            self._dirty = True
        self._entries = len(entries)

    def collect(self, writes: Writes) -> None:
        """Hand over what changed since the last call."""
        if self._dirty:
            writes.state[_STATE] = str(self._entries)
            self._dirty = False

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from the state of an earlier run."""
        self._entries = int(snapshot.state.get(_STATE, "0"))
