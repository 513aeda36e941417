# SPDX-License-Identifier: MIT
"""Score: a radio that loses messages, between the nodes' reports and the gateway.

A node sends a lost message again when it has had no receipt for a while (ugs.link.outbox). A lost
receipt makes a duplicate. Heartbeats and hellos are sent once.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

DELAY_US = 100_000  # a node sends every 100 ms, the link takes 20 ms one way
_RESEND_US = 10_000_000  # and up to a quarter more
_TRIES = 20


@dataclass(frozen=True)
class Link:
    """Loses `loss_pct` of messages and of receipts, by a seed."""

    loss_pct: float = 0.0
    seed: int = 0

    def arrivals(self, name: str, sent_us: int, *, durable: bool) -> Sequence[int]:
        """When a message sent at that time arrives; `name` identifies the message."""
        if not self.loss_pct:
            return (sent_us + DELAY_US,)
        rng = random.Random(f"{self.seed}/{name}")
        found = []
        for _ in range(_TRIES if durable else 1):
            arrived = rng.random() * 100 >= self.loss_pct
            if arrived:
                found.append(sent_us + DELAY_US)
            if arrived and rng.random() * 100 >= self.loss_pct:
                break
            sent_us += _RESEND_US + int(rng.random() * _RESEND_US / 4)
        return found


PERFECT = Link()
