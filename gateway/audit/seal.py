# SPDX-License-Identifier: MIT
"""Accountability: a seal: an entry of the audit that covers records by their digests. No I/O.

Records are sealed in ranges of their numbers. Within a range each day of a class of retention has a
digest of its own, because records are erased by whole days: what is left is still compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from gateway.config.retention import DAY_US
from gateway.store.records import Row, Table

# Rows of the table `state` that reports show: policies, orders, cues, monitored time, walk tests.
_STATE = ("orders", "cues", "watch:", "walk_test:")

# MessagePack: one form for each value of ours, and a fifth of the time of CBOR.
_encode = msgspec.msgpack.Encoder().encode

Part = tuple[str, int]  # class of retention, day


def part_of(table: Table, row: Row) -> Part:
    """Where a record belongs."""
    return table.kept(row), row[table.time] // DAY_US


@dataclass(slots=True)
class Tally:
    """Records of one table beyond the number `after`, up to `upto`: a count and a digest each."""

    table: Table
    after: int = 0
    upto: int = 0
    _parts: dict[Part, tuple[list[int], Any]] = field(default_factory=dict)

    def add(self, rows: Iterable[Row]) -> None:
        """The next rows, in order of the numbers. Many have the same day and class: those cost one
        update. Raises ValueError and TypeError for rows that no store of ours holds."""
        table = self.table
        last: Part | None = None
        together: list[bytes] = []
        for row in rows:
            part = part_of(table, row)
            if part != last:
                self._update(last, together)
                last, together = part, []
            together.append(_encode(row))
            self.upto = row[0]
        self._update(last, together)

    def _update(self, part: Part | None, rows: list[bytes]) -> None:
        if part is None:
            return
        known = self._parts.get(part)
        if known is None:
            known = self._parts[part] = ([0], sha256())
        known[0][0] += len(rows)
        known[1].update(b"".join(rows))

    def found(self) -> dict[Part, tuple[int, str]]:
        """Rows and digest of each part."""
        return {part: (rows[0], sha.hexdigest()) for part, (rows, sha) in self._parts.items()}

    def plain(self) -> list[Any]:
        """As the detail of an entry: [after, upto, [[class, day, rows, sha256], ...]]."""
        return [self.after, self.upto, [[*part, *one] for part, one in self.found().items()]]

    def next(self) -> Tally:
        """What comes behind it."""
        return Tally(self.table, self.upto, self.upto)


def is_sealed(name: str) -> bool:
    """Whether a row of state belongs to what is sealed."""
    return name.startswith(_STATE)


def state_digest(rows: Mapping[str, str]) -> str:
    """SHA-256 of the sealed rows among these."""
    kept = sorted((name, value) for name, value in rows.items() if value and is_sealed(name))
    return sha256(_encode(kept)).hexdigest()
