# SPDX-License-Identifier: MIT
"""Service: idempotency keys: an act sent twice with one key by one person acts once."""

from __future__ import annotations

from collections import OrderedDict

from gateway.store.interface import ActKeyRow, Snapshot, Writes

KEYS_MAX = 10_000  # the newest; the store keeps those that were pushed out for its retention time
PENDING, NOT_DONE, DONE = -1, 0, 1


class ActKeys:
    """By (person, key): what became of the act."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], ActKeyRow] = OrderedDict()
        self._pending: dict[int, tuple[str, str]] = {}  # by entry of the log
        self._rows: list[ActKeyRow] = []

    def find(self, actor: str, key: str) -> ActKeyRow | None:
        """The act that came with this key before."""
        return self._known.get((actor, key))

    def add(self, at_us: int, actor: str, key: str, log_id: int) -> None:
        """An act with a key is entry `log_id` of the log."""
        self._put(ActKeyRow(at_us, actor, key, log_id, PENDING))
        self._pending[log_id] = (actor, key)

    def settle(self, log_id: int, done: bool) -> None:
        """The entry was processed."""
        name = self._pending.pop(log_id, None)
        if name is not None and name in self._known:
            self._put(self._known[name]._replace(done=DONE if done else NOT_DONE))

    def collect(self, writes: Writes) -> None:
        """Hand over the rows since the last call."""
        writes.act_keys += self._rows
        self._rows = []

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from the state of an earlier run."""
        for row in snapshot.act_keys:
            self._known[(row.actor, row.key)] = row
            if row.done == PENDING:
                self._pending[row.log_id] = (row.actor, row.key)

    def _put(self, row: ActKeyRow) -> None:
        self._known[(row.actor, row.key)] = row
        self._rows.append(row)
        if len(self._known) > KEYS_MAX:
            _name, old = self._known.popitem(last=False)
            self._pending.pop(old.log_id, None)
