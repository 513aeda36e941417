# SPDX-License-Identifier: MIT
"""Intake: counters of rejected messages, by reason and node; both are closed sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_MAX_CELLS = 4096
# Reasons in stores of earlier versions.
_RENAMED = {"untimely_strikes": "untimely_footfalls", "wrong_lane": "wrong_counter_space"}


class Refused:
    """Counts; `changed` yields the cells touched since it was last asked, for the store."""

    def __init__(self) -> None:
        self.cells: Counter[tuple[str, str]] = Counter()
        self._touched: set[tuple[str, str]] = set()

    def count(self, reason: str, node: str, number: int = 1) -> None:
        """One more of `reason` from `node`."""
        cell = (reason, node)
        if cell not in self.cells and len(self.cells) >= _MAX_CELLS:
            cell = ("other", "-")
        self.cells[cell] += number
        self._touched.add(cell)

    def restore(self, rows: Iterable[tuple[str, str, int]]) -> None:
        """Continue from the counts of an earlier run. A count of an earlier name is moved: its old
        row becomes 0."""
        for reason, node, number in rows:
            now = (_RENAMED.get(reason, reason), node)
            if number:
                self.cells[now] += number
            if now[0] != reason and number:
                self._touched |= {now, (reason, node)}

    def changed(self) -> dict[tuple[str, str], int]:
        """Cells touched since the last call, with their totals."""
        touched, self._touched = self._touched, set()
        return {cell: self.cells[cell] for cell in sorted(touched)}

    def by_reason(self) -> dict[str, int]:
        """Totals over all nodes."""
        totals: Counter[str] = Counter()
        for (reason, _node), number in self.cells.items():
            totals[reason] += number
        return dict(sorted(totals.items()))
