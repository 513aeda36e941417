# SPDX-License-Identifier: MIT
"""Intake: clone detection: two senders with one key.

A node numbers each message once and repeats it with the same bytes. So another content under a
known number comes from a copy of the node, or from a node whose flash was wiped under its old key.
The same holds for a node that continues an old boot.
"""

from __future__ import annotations

from collections import defaultdict, deque

REMEMBERED = 128  # messages of one node at least, twice as many at most
STALE_COUNT = 3  # new messages of old boots, within STALE_US: late copies of a broker are fewer
STALE_US = 60_000_000

_Contents = dict[tuple[int, int, int], int]


class Clones:
    """Contents of the latest messages of each node, by number."""

    def __init__(self) -> None:
        # By node: the newest, and those before them.
        self._contents: defaultdict[str, tuple[_Contents, _Contents]] = defaultdict(
            lambda: ({}, {})
        )
        self._stale: dict[str, deque[int]] = {}

    def differs(self, node: str, space: int, boot: int, seq: int, payload: bytes) -> bool:
        """Whether another content came under this number before; remembered when it is new."""
        newest, older = self._contents[node]
        number, content = (space, boot, seq), hash(payload)
        known = older.get(number)
        if known is None:
            known = newest.setdefault(number, content)
            if len(newest) == REMEMBERED:
                self._contents[node] = {}, newest
        return known != content

    def lingers(self, node: str, arrival_us: int) -> bool:
        """A message that is never sent twice came from a boot before the newest: whether there are
        so many that the old boot still runs."""
        recent = self._stale.setdefault(node, deque(maxlen=STALE_COUNT))
        recent.append(arrival_us)
        return len(recent) == STALE_COUNT and 0 <= recent[-1] - recent[0] <= STALE_US
