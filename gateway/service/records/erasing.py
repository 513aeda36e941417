# SPDX-License-Identifier: MIT
"""Service: records past their retention are erased in portions, after an entry in the audit log."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.config.retention import RecordClass
from gateway.model.actions.record import ERASED, SYSTEM, Recorder
from gateway.store.interface import ALARMS_ERASED, Expired, Snapshot, Writes


class Eraser:
    """One entry for each class and day, in the commit of the first portion."""

    def __init__(self, audit: Recorder) -> None:
        self._audit = audit
        self._recorded: dict[RecordClass, int] = {}
        self._due: dict[str, tuple[int, ...]] = {}
        self._alarms_before_us = 0  # the latest cut ever

    def step(self, now_us: int, expired: Mapping[RecordClass, Expired]) -> None:
        """The store holds these; erase the portions that were found."""
        self._due = {}
        if RecordClass.ALARMS in expired:
            before_us = expired[RecordClass.ALARMS].before_us
            self._alarms_before_us = max(self._alarms_before_us, before_us)
        for kept, found in expired.items():
            if self._recorded.get(kept) != found.before_us:
                self._recorded[kept] = found.before_us
                detail: dict[str, int | str] = {
                    "class": kept.value,
                    "before_us": found.before_us,
                    "rows": found.rows,
                }
                if found.more:
                    detail["more"] = "not counted"
                if found.upto is not None:
                    detail["upto"] = found.upto
                self._audit.add(
                    now_us, SYSTEM, ERASED, kept.value, "kept long enough", None, detail
                )
            for table, ids in found.portion.items():
                self._due[table] = self._due.get(table, ()) + ids

    def collect(self, writes: Writes) -> None:
        """Hand over what is due."""
        writes.erase |= self._due
        if "alarm" in self._due:
            # Replay knows by it which alarms the store need not hold.
            writes.state[ALARMS_ERASED] = str(self._alarms_before_us)
        self._due = {}

    def restore(self, snapshot: Snapshot) -> None:
        """The latest cut; what is left over is found again."""
        self._alarms_before_us = int(snapshot.state.get(ALARMS_ERASED, "0"))
