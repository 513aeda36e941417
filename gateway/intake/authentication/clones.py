# SPDX-License-Identifier: MIT
"""The door: two senders with one key. A node numbers each message once and sends the same bytes
again when it repeats one, so another content under a known number comes from a copy of the node, or
from a node whose flash was wiped under its old key. So does a node that goes on in an old boot."""

from __future__ import annotations

from collections import defaultdict, deque

REMEMBERED = 128  # messages of one node at least, twice as many at most
STALE_COUNT = 3  # new words of old boots, within STALE_US: late copies of a broker are fewer
STALE_US = 60_000_000

_Said = dict[tuple[int, int, int], int]


class Clones:
    """What each node said lately, by number."""

    def __init__(self) -> None:
        # By node: the newest, and those before them.
        self._said: defaultdict[str, tuple[_Said, _Said]] = defaultdict(lambda: ({}, {}))
        self._stale: dict[str, deque[int]] = {}

    def differs(self, node: str, lane: int, boot: int, seq: int, payload: bytes) -> bool:
        """Whether another content came under this number before; remembered when it is new."""
        newest, older = self._said[node]
        number, content = (lane, boot, seq), hash(payload)
        known = older.get(number)
        if known is None:
            known = newest.setdefault(number, content)
            if len(newest) == REMEMBERED:
                self._said[node] = {}, newest
        return known != content

    def lingers(self, node: str, arrival_us: int) -> bool:
        """A word that is never sent twice came out of a boot before the newest: whether it is one
        of so many that the old boot still lives."""
        recent = self._stale.setdefault(node, deque(maxlen=STALE_COUNT))
        recent.append(arrival_us)
        return len(recent) == STALE_COUNT and 0 <= recent[-1] - recent[0] <= STALE_US
