# SPDX-License-Identifier: MIT
"""Intake, outward: messages to a node are sealed with counters that no restart can use twice."""

from __future__ import annotations

from collections.abc import Callable

from gateway.keys import NodeKeys
from gateway.model import numbering
from gateway.wire import codec, seal
from gateway.wire.messages import DownMessage
from gateway.wire.topics import downlink_topic

BLOCK = 256  # counters reserved at a time: one row per so many messages
# A start begins at a counter that time gives: a block for each second, so more than was used. So a
# gateway whose whole folder was put back, as a virtual machine's is, uses none twice. The counter
# has 40 bits; half of them last until the year 2093.
_PER_S = 256
_MAX_COUNTER = (1 << 40) - 1


def floor_at(now_us: int) -> int:
    """Counters of a start at that time are above this one."""
    return min(numbering.floor_at(now_us, _PER_S), _MAX_COUNTER // 2)


# Counters that are skipped for a store that was replaced: the gateway may have used them after the
# copy was made, and no counter may be used twice (ADR 7). Beyond them a random block is chosen: a
# copy that is put back twice starts at the same counters once in 131,072 times.
SKIPPED = 1 << 28
_BLOCKS = 1 << 17


def skipped_counters(below: Callable[[int], int]) -> int:
    """`below(n)` is a random number under n."""
    return SKIPPED + BLOCK * below(_BLOCKS)


class DownCounter:
    """Counters of one node. `reserved` is what the store must hold before they are used."""

    __slots__ = ("_committed", "_next", "reserved")

    def __init__(self, reserved: int = 0) -> None:
        self.reserved = reserved
        self._committed = reserved
        self._next = reserved + 1

    @property
    def dry(self) -> bool:
        """Nothing reserved is left."""
        return self._next > self.reserved

    @property
    def granted(self) -> bool:
        """The store holds the next one."""
        return self._next <= self._committed

    def top_up(self) -> None:
        """Reserve a block when little is left."""
        if self.reserved - self._next < BLOCK // 4:
            self.reserved += BLOCK

    def committed(self, reserved: int) -> None:
        """The store holds this now."""
        self._committed = max(self._committed, reserved)

    def take(self) -> int | None:
        """The next counter, or None when the store has not granted one."""
        if not self.granted:
            return None
        self._next += 1
        return self._next - 1


def seal_down(
    site: str, node: str, keys: NodeKeys, boot: int, counter: int, message: DownMessage
) -> tuple[str, bytes]:
    """(topic, sealed message) for a node that runs in `boot`."""
    topic = downlink_topic(site, node)
    data = seal.seal(
        keys.down_key,
        keys.down_iv,
        seal.down_piv(counter),
        codec.encode(message),
        seal.down_aad(topic, boot),
    )
    return topic, data
