# SPDX-License-Identifier: MIT
"""Fusion: each node's own record of short detections that nothing confirmed.

A node beside a loose sign reports a knock every ten minutes. What it reports counts less than the
same report of a node that is silent all day. It counts less only: it is never left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.model.event import Event
from gateway.model.target import TargetClass

WINDOW_US = 3_600_000_000
_MAX_KEPT = 12
_SHORT_US = 30_000_000
_OFTEN = 4  # so many in the window: such a node counts half where nodes are counted
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class NodeRecords:
    """Times of unconfirmed short events of the last hour, by node, in order."""

    by_node: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def count(self, node: str, at_us: int) -> int:
        """How many there were in the hour before."""
        return sum(at_us - WINDOW_US < one <= at_us for one in self.by_node.get(node, ()))

    def worth(self, nodes: Iterable[str], at_us: int) -> dict[str, float]:
        """What each node counts where nodes are counted."""
        return {node: _HALF if self.count(node, at_us) >= _OFTEN else 1.0 for node in nodes}


def noted(records: NodeRecords, closed: Iterable[Event]) -> NodeRecords:
    """The records with these events in them; the same object when they add nothing."""
    by_node = dict(records.by_node)
    for event in closed:
        if not _is_unconfirmed_peak(event):
            continue
        (node,) = event.nodes
        times = sorted({*by_node.get(node, ()), event.last_us})
        recent = [one for one in times if one > times[-1] - WINDOW_US]
        by_node[node] = tuple(recent[-_MAX_KEPT:])
    return records if by_node == records.by_node else NodeRecords(by_node)


def _is_unconfirmed_peak(event: Event) -> bool:
    """One node detected it for a short time, and nothing else did. An animal is no mistake."""
    return (
        not event.confirmed
        and len(event.nodes) == 1
        and not event.plots
        and event.target is not TargetClass.ANIMAL
        and event.last_us - event.first_us <= _SHORT_US
    )
