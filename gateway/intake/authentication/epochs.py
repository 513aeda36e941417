# SPDX-License-Identifier: MIT
"""Intake: the epoch of the key of each node.

A node goes on by itself, one step at a time and only while it is answered; so its next message is
of the epoch it was in or of the one after. From the first message of that one the key before is
refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from gateway.keys import NodeKeys, at_epoch, check_value, next_epoch, up_keys_after
from gateway.limits import TokenBucket
from gateway.model import text
from gateway.store.interface import Snapshot, Writes

# A store that was lost or brought back from a copy is behind. So far ahead is looked (ten years of
# days). A look is work: a node has a few at once, then one in a while, however many are forged in
# its name. None is used up for good: a node that is ahead is found when the forger is gone.
AHEAD = 3_700
LOOKS = 4
LOOKS_PER_S = 1 / 30
_ROW = "epoch:"  # prefix of the state rows

Rungs = tuple[NodeKeys | None, NodeKeys, NodeKeys]


class Epochs:
    """By node and key as given out; `dirty` names nodes that have moved since it was cleared."""

    def __init__(self) -> None:
        self.dirty: set[str] = set()
        self._rungs: dict[tuple[str, bytes], Rungs] = {}
        self._saved: dict[str, dict[str, int]] = {}
        self._looks: dict[str, TokenBucket] = {}

    def of(self, node: str, given: NodeKeys) -> Rungs:
        """The keys that it may not use any more (None: there are none), those that it used last,
        and those that it may use from any message on."""
        rungs = self._rungs.get((node, given.key))
        return rungs or self._climb(node, given)

    def used(self, node: str, given: NodeKeys, keys: NodeKeys) -> None:
        """It sent under keys of a later epoch."""
        past = at_epoch(given, keys.epoch - 1)
        self._rungs[(node, given.key)] = past, keys, next_epoch(keys)
        self._saved.setdefault(node, {})[check_value(given.key)] = keys.epoch
        self._looks.pop(node, None)
        self.dirty.add(node)

    def ahead(self, node: str, given: NodeKeys, now_us: int) -> Iterator[tuple[int, bytes, bytes]]:
        """(epoch, key, IV) of uplinks in the epochs beyond the following one, when there is reason
        to think that we are behind."""
        looks = self._looks.setdefault(node, TokenBucket(LOOKS_PER_S, LOOKS))
        if not looks.take(now_us / 1e6):
            return
        yield from islice(up_keys_after(self.of(node, given)[2]), AHEAD)

    def collect(self, writes: Writes) -> None:
        """State rows of nodes that moved since the last call: epochs by the check value of the key
        as given out."""
        for node in sorted(self.dirty):
            writes.state[f"{_ROW}{node}"] = text.format_json(self._saved.get(node, {}))
        self.dirty.clear()

    def restore(self, snapshot: Snapshot) -> None:
        """Of every node there ever was: one that comes back goes on in its epoch."""
        for name, value in snapshot.state.items():
            if name.startswith(_ROW):
                self._saved[name.removeprefix(_ROW)] = text.parse_json(value, dict[str, int])

    def _climb(self, node: str, given: NodeKeys) -> Rungs:
        epoch = self._saved.get(node, {}).get(check_value(given.key), 0)
        past = at_epoch(given, epoch - 1) if epoch else None
        present = next_epoch(past) if past else given
        rungs = self._rungs[(node, given.key)] = past, present, next_epoch(present)
        return rungs
