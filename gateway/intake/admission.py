# SPDX-License-Identifier: MIT
"""Intake: admission: a rate limit per node, so that one that floods does not slow the others.

A message over the limit is counted and dropped before its seal is verified. A durable message gets
no receipt then and is sent again; the embedded broker delays a flood before this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.intake.authentication.authenticator import UNKNOWN
from gateway.limits import TokenBucket
from gateway.ports.link import Arrival
from gateway.wire.topics import uplink_topic

RATE_PER_S = 100  # a node in its worst minute sends tens
BURST = 1000  # a whole ledger after an outage
TOO_FAST = "too_fast"


class Gate:
    """A token bucket for each node of a site, and one for all that is not of our nodes."""

    def __init__(
        self,
        site: str,
        nodes: Iterable[str],
        offer: Callable[[Arrival], bool],
        count: Callable[[str, str], None],
    ) -> None:
        self._site = site
        self._offer = offer
        self._count = count
        self._unknown = UNKNOWN, _bucket()
        # By topic: to take every topic apart costs more than all the rest here.
        self._shares: dict[str, tuple[str, TokenBucket]] = {}
        self.add(nodes)

    def add(self, nodes: Iterable[str]) -> None:
        """These may be new; each has its share."""
        for node in nodes:
            self._shares.setdefault(uplink_topic(self._site, node), (node, _bucket()))

    def offer(self, arrival: Arrival) -> bool:
        """Pass it on; False when the queue behind is full, and it is to be offered again."""
        node, bucket = self._shares.get(arrival.topic, self._unknown)
        if not bucket.take(arrival.arrival_us / 1e6):
            self._count(TOO_FAST, node)
            arrival.acknowledge()
            return True
        if self._offer(arrival):
            return True
        bucket.give_back()
        return False


def _bucket() -> TokenBucket:
    return TokenBucket(RATE_PER_S, BURST)
