# SPDX-License-Identifier: MIT
"""Ports: what the gateway needs from a link to nodes: MQTT, a serial line, the own broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Protocol

import msgspec


class Link(Protocol):
    """One way to nodes. Runs until cancelled and restores itself."""

    name: str
    connected: bool
    counters: Counter[str]

    async def run(self) -> None:
        """Carry messages until cancelled."""

    def send(self, topic: str, payload: bytes) -> bool:
        """Towards a node; False when it cannot go out now (the node asks again). Never blocks."""


class Arrival(msgspec.Struct, frozen=True):
    """Bytes from a link. `acknowledge` is called once they are safe, or refused for good."""

    arrival_us: int
    topic: str
    payload: bytes
    link: Link
    acknowledge: Callable[[], None]


# Accepts an arrival, or returns False: full, not accepted. What a link loses, it counts as
# "queue_full".
Offer = Callable[[Arrival], bool]
# Wall clock, UTC microseconds.
Clock = Callable[[], int]
