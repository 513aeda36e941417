# SPDX-License-Identifier: MIT
"""Intake: what must survive a restart about nodes, as rows; written seldom, not per message.

`applied_id` of a row is the newest message that it includes. What came after it is in the store's
messages and is applied again at a start. So a heartbeat costs one row and not four.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from gateway.intake.authentication.sequence import VolatileWindow
from gateway.store.interface import APPLIED, NodeRow, Writes

FLUSH_US = 300_000_000  # five heartbeats are in one row
TAIL_MAX = 20_000  # messages that a start applies again: a fraction of a second
_PORTION = 64  # nodes written in one commit


class _Stale(NamedTuple):
    since_us: int
    first_id: int  # the first message that the node's rows do not hold


class StaleRows:
    """Nodes whose rows are behind, the oldest first. `write` adds the rows of one node."""

    def __init__(self, write: Callable[[str, Writes], None]) -> None:
        self._write = write
        self._stale: OrderedDict[str, _Stale] = OrderedDict()
        self._urgent: set[str] = set()
        self._applied = -1

    def touch(self, node: str, now_us: int, message_id: int) -> None:
        """This message changed the node."""
        if node not in self._stale:
            self._stale[node] = _Stale(now_us, message_id)

    def urge(self, node: str) -> None:
        """Something changed that no message holds."""
        self._urgent.add(node)

    def collect(self, writes: Writes, last_id: int, now_us: int, everything: bool) -> None:
        """Add rows that are due; `last_id` is the newest message."""
        due = sorted(self._urgent)
        self._urgent.clear()
        for node, stale in self._stale.items():
            old = abs(now_us - stale.since_us) >= FLUSH_US
            if not everything and (
                len(due) >= _PORTION or not (old or last_id - stale.first_id >= TAIL_MAX)
            ):
                break
            due.append(node)
        for node in dict.fromkeys(due):
            self._write(node, writes)
            self._stale.pop(node, None)
        first = next(iter(self._stale.values())).first_id if self._stale else last_id + 1
        if (due or self._applied < 0) and first - 1 != self._applied:
            self._applied = first - 1
            writes.state[APPLIED] = str(self._applied)


def window_of(row: NodeRow) -> VolatileWindow:
    """The replay window that a row holds."""
    return VolatileWindow(row.window_newest, int.from_bytes(row.window_bits, "big"))
