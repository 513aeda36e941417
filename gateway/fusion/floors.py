# SPDX-License-Identifier: MIT
"""Fusion: which nodes are listening, and the noise floor where they stand.

A node that listens and reports nothing is evidence too. Floors that rise everywhere at once come
from the weather and not from a walker.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from gateway.model.observation import NoiseFloor

# A heartbeat comes every 60 s, one in two is noted; a node that missed three more may be dead, and
# its silence proves nothing.
_NOTED_EVERY_US = 100_000_000
OFFLINE_AFTER_US = 280_000_000
_MATTERS = 1.25  # a floor that changed by 2 dB
FLOOR_UNKNOWN_UM_S = 0.08  # a calm site by night (rms in 8..60 Hz)
_MIN_FLOOR_UM_S = 0.02  # the front end's own noise
# How fast the long-run floor follows: hours up; down at once, as quiet is never by chance. A node
# without a heartbeat yet is taken for one of a calm site.
_FOLLOW = 1 / 100
_NOISY = 1.6  # a floor 4 dB over its long run
_NOISY_SHARE = 0.6  # of the nodes
_MIN_NOISY = 3


@dataclass(frozen=True, slots=True)
class NodeFloor:
    """The latest floor of one node, and its floor in the long run."""

    at_us: int
    floor_um_s: float
    usual_um_s: float


@dataclass(frozen=True, slots=True)
class NoiseFloors:
    """All of a site, by node."""

    by_node: Mapping[str, NodeFloor] = field(default_factory=dict)

    def floor_um_s(self, node: str) -> float:
        """Of a node, or that of a calm site."""
        known = self.by_node.get(node)
        return known.floor_um_s if known else FLOOR_UNKNOWN_UM_S

    def listens(self, node: str, at_us: int) -> bool:
        """Whether the node's silence at that time means anything."""
        known = self.by_node.get(node)
        return known is not None and abs(at_us - known.at_us) <= OFFLINE_AFTER_US

    def are_noisy(self, nodes: Collection[str]) -> bool:
        """Whether most floors lie far over their long run together: wind, rain, a machine."""
        known = [floor for node in nodes if (floor := self.by_node.get(node)) is not None]
        up = sum(floor.floor_um_s > _NOISY * floor.usual_um_s for floor in known)
        return len(known) >= _MIN_NOISY and up >= _NOISY_SHARE * len(known)


def update_floors(floors: NoiseFloors, given: NoiseFloor) -> NoiseFloors:
    """The floors with this heartbeat in them; the same object when it changes nothing.

    Heartbeats are most of what a large site sends: one that changes nothing costs nothing, in
    memory or in the store.
    """
    floor = max(given.floor_um_s, _MIN_FLOOR_UM_S)
    before = floors.by_node.get(given.node)
    if (
        before is not None
        and 0 <= given.at_us - before.at_us < _NOTED_EVERY_US
        and before.floor_um_s / _MATTERS < floor < before.floor_um_s * _MATTERS
    ):
        return floors
    usual = before.usual_um_s if before else FLOOR_UNKNOWN_UM_S
    usual = min(floor, usual + (floor - usual) * _FOLLOW)
    return NoiseFloors({**floors.by_node, given.node: NodeFloor(given.at_us, floor, usual)})
