# SPDX-License-Identifier: MIT
"""Intake: the log: every input of the monitor is numbered here, in the order it is taken in."""

from __future__ import annotations

from gateway.model import text
from gateway.model.entry import Entry, kind_of
from gateway.store.interface import COUNT_LOG, LogRow, Snapshot, Writes


class Log:
    """Append only. An entry is on its way to the store when `collect` has given its row."""

    def __init__(self) -> None:
        self.last_id = 0
        self._rows: list[LogRow] = []

    def append(self, at_us: int, source: str, given: object) -> Entry:
        """Number an input. Numbers are given here, so that a repeated commit adds no second row."""
        row = LogRow(self.last_id + 1, at_us, kind_of(given), source, text.format_json(given))
        self.last_id = row.id  # what has no row has no number
        self._rows.append(row)
        return Entry(self.last_id, at_us, source, given)

    def collect(self, writes: Writes) -> None:
        """Hand over the rows since the last call."""
        if self._rows:
            writes.state[COUNT_LOG] = str(self.last_id)
            writes.log += self._rows
            self._rows = []

    def restore(self, snapshot: Snapshot) -> None:
        """Go on with the numbers."""
        self.last_id = snapshot.last_log_id
