# SPDX-License-Identifier: MIT
"""Links: what the door sees of any of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, Protocol


class Link(Protocol):
    """One way to nodes. Runs until cancelled and brings itself back up."""

    name: str
    connected: bool
    counters: Counter[str]

    async def run(self) -> None:
        """Carry messages until cancelled."""

    def send(self, topic: str, payload: bytes) -> bool:
        """Towards a node; False when it cannot go out now (the node asks again). Never blocks."""


class Arrival(NamedTuple):
    """Bytes from a link. `acknowledge` is called once they are safe, or refused for good."""

    arrival_us: int
    topic: str
    payload: bytes
    link: Link
    acknowledge: Callable[[], None]


# Takes an arrival in, or says False: full, not taken. A link counts those it lost as "queue_full".
Offer = Callable[[Arrival], bool]
# Wall clock, UTC microseconds.
Clock = Callable[[], int]
