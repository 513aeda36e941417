# SPDX-License-Identifier: MIT
"""Intake: messages to nodes: sealed with counters that the store has granted, never twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.intake.authentication.authenticator import Authenticator
from gateway.intake.authentication.boots import on_wire
from gateway.intake.downlink import DownCounter, seal_down
from gateway.intake.nodes.registry import NodeRegistry
from gateway.store.interface import SKIP_DUE, NodeRow, Writes
from gateway.wire.messages import DownMessage

_ROW = "down:"  # prefix of the state rows that hold what is reserved
# State row of a store that was replaced: counters of every node start above it, for the node may
# have had a row, or a higher one, after the copy was made.
FLOOR = "down_floor"
# Counters skipped for a node whose own are lost: more than any gateway sends a node in years.
_BEYOND_LOST = 1 << 30


class Downlinks:
    """Counters of all nodes."""

    def __init__(self, site: str, authenticator: Authenticator, registry: NodeRegistry) -> None:
        self._site = site
        self._authenticator = authenticator
        self._registry = registry
        self._counters: dict[str, DownCounter] = {}
        self._changed: set[str] = set()
        self._kept: dict[str, int] = {}
        self._floor = 0
        self._floor_changed = False
        self.skip_due = False  # a command found the store replaced

    def add(self, nodes: Iterable[str]) -> None:
        """These may be new; one that comes back goes on with its counters."""
        for node in nodes:
            if node not in self._counters:
                self._counters[node] = DownCounter(max(self._kept.get(node, 0), self._floor))

    def start_above(self, floor: int) -> None:
        """No counter up to this one is used from now on."""
        self._floor = max(self._floor, floor)
        for node, counter in self._counters.items():
            if counter.reserved < self._floor:  # one beyond it goes on: a counter only grows
                self._counters[node] = DownCounter(self._floor)

    def skip(self, count: int) -> None:
        """Before the first message: the store was replaced, and counters beyond its own may be
        used."""
        self.start_above(max([self._floor, *self._kept.values()]) + count)
        self._floor_changed = True

    def seal(self, node: str, message: DownMessage) -> tuple[str, bytes] | None:
        """(topic, sealed message), or None as long as the node's boot or a counter is not known."""
        boot, keys = self._registry.views[node].boot, self._authenticator.keys_of(node)
        counter = self._counters[node].take() if boot and keys else None
        if keys is None or counter is None:
            return None
        return seal_down(self._site, node, keys, on_wire(boot), counter, message)

    def may_seal(self, node: str) -> bool:
        """Whether the store has granted a counter for a message to it."""
        return self._counters[node].granted

    def reserve(self, node: str) -> bool:
        """Keep counters in stock for a node that sends: one row for a block of them; whether more
        are reserved now."""
        counter = self._counters[node]
        before = counter.reserved
        counter.top_up()
        if counter.reserved != before:
            self._changed.add(node)
        return counter.reserved != before

    def reserved(self, node: str) -> int:
        """What the store holds or will hold as given out."""
        return self._counters[node].reserved

    def collect(self, writes: Writes) -> dict[str, int]:
        """Hand over the rows since the last call; what they reserve, by node."""
        reserved = {node: self._counters[node].reserved for node in sorted(self._changed)}
        writes.state |= {f"{_ROW}{node}": str(number) for node, number in reserved.items()}
        self._changed.clear()
        if self._floor_changed:
            writes.state |= {FLOOR: str(self._floor), SKIP_DUE: ""}
            self._floor_changed = self.skip_due = False
        return reserved

    def committed(self, reserved: Mapping[str, int]) -> None:
        """The store holds these now."""
        for node, number in reserved.items():
            self._counters[node].committed(number)

    def restore(self, rows: Mapping[str, NodeRow], spoken: Iterable[str], state: Mapping[str, str]
                ) -> None:  # fmt: skip
        """Go on where an earlier run stopped, also for nodes that the site does not have now: one
        that comes back must not use a counter twice, or a nonce would be reused."""
        kept = {name: row.down_reserved for name, row in rows.items()}
        for name, value in state.items():
            if name.startswith(_ROW) and value:
                node = name.removeprefix(_ROW)
                kept[node] = max(kept.get(node, 0), int(value))
        self._floor = int(state.get(FLOOR, "0"))
        self.skip_due = bool(state.get(SKIP_DUE))
        newest = max(kept.values(), default=0)
        newest = max(newest, self._floor)
        for node in spoken:
            # Its row was lost from a damaged store.
            kept.setdefault(node, newest + _BEYOND_LOST)
        self._kept = kept
        for node in self._counters:
            self._counters[node] = DownCounter(max(kept.get(node, 0), self._floor))
