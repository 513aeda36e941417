# SPDX-License-Identifier: MIT
"""The door: two senders with one key. A node numbers each message once and sends the same bytes
again when it repeats one, so another content under a known number comes from a copy of the node, or
from a node whose flash was wiped under its old key. So does a node that goes on in an old boot."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque

REMEMBERED = 256  # messages of one node
STALE_COUNT = 3  # new words of old boots, within STALE_US: late copies of a broker are fewer
STALE_US = 60_000_000


class Clones:
    """What each node said lately, by number."""

    def __init__(self) -> None:
        self._said: defaultdict[str, OrderedDict[tuple[int, int, int], int]]
        self._said = defaultdict(OrderedDict)
        self._stale: dict[str, deque[int]] = {}

    def differs(self, node: str, lane: int, boot: int, seq: int, payload: bytes) -> bool:
        """Whether another content came under this number before; remembered when it is new."""
        said = self._said[node]
        content = hash(payload)
        known = said.setdefault((lane, boot, seq), content)
        if len(said) > REMEMBERED:
            said.popitem(last=False)
        return known != content

    def lingers(self, node: str, arrival_us: int) -> bool:
        """A word that is never sent twice came out of a boot before the newest: whether it is one
        of so many that the old boot still lives."""
        recent = self._stale.setdefault(node, deque(maxlen=STALE_COUNT))
        recent.append(arrival_us)
        return len(recent) == STALE_COUNT and 0 <= recent[-1] - recent[0] <= STALE_US
