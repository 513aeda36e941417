# SPDX-License-Identifier: MIT
"""The map table: which nodes listen, and how noisy it is where they stand.

A node that listens and says nothing is evidence too. Floors that rise everywhere at once are the
weather's, not a walker's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from gateway.model.observation import NoiseFloor

# A heartbeat comes every 60 s, one in two is noted; who has missed three more may be dead and
# proves nothing by silence.
_NOTED_EVERY_US = 100_000_000
DEAF_AFTER_US = 280_000_000
_MATTERS = 1.25  # a floor that changed by 2 dB
FLOOR_UNKNOWN_UM_S = 0.08  # a calm site by night (rms in 8..60 Hz)
_FLOOR_LEAST_UM_S = 0.02  # the front end's own noise
# How fast the long-run floor follows: hours up; down at once, as quiet is never by chance. A node
# that nobody knows yet is taken for one of a calm site.
_FOLLOW = 1 / 100
_NOISY = 1.6  # a floor 4 dB over its long run
_NOISY_SHARE = 0.6  # of the nodes
_NOISY_LEAST = 3


@dataclass(frozen=True, slots=True)
class Ear:
    """The latest word about one node's floor, and its floor in the long run."""

    at_us: int
    floor_um_s: float
    usual_um_s: float


@dataclass(frozen=True, slots=True)
class Ears:
    """All of a site, by node."""

    by_node: Mapping[str, Ear] = field(default_factory=dict)

    def floor_um_s(self, node: str) -> float:
        """Of a node, or what a calm site has."""
        ear = self.by_node.get(node)
        return ear.floor_um_s if ear else FLOOR_UNKNOWN_UM_S

    def hears(self, node: str, at_us: int) -> bool:
        """Whether the node's silence at that time means anything."""
        ear = self.by_node.get(node)
        return ear is not None and abs(at_us - ear.at_us) <= DEAF_AFTER_US

    def are_noisy(self, nodes: Collection[str]) -> bool:
        """Whether most floors lie far over their long run together: wind, rain, a machine."""
        known = [ear for node in nodes if (ear := self.by_node.get(node)) is not None]
        up = sum(ear.floor_um_s > _NOISY * ear.usual_um_s for ear in known)
        return len(known) >= _NOISY_LEAST and up >= _NOISY_SHARE * len(known)


def listened(ears: Ears, health: NoiseFloor) -> Ears:
    """The ears with this heartbeat in them; the same when it says nothing new.

    Heartbeats are most of what a large site sends: one that changes nothing shall cost nothing, in
    memory or in the store.
    """
    floor = max(health.floor_um_s, _FLOOR_LEAST_UM_S)
    before = ears.by_node.get(health.node)
    if (
        before is not None
        and 0 <= health.at_us - before.at_us < _NOTED_EVERY_US
        and before.floor_um_s / _MATTERS < floor < before.floor_um_s * _MATTERS
    ):
        return ears
    usual = before.usual_um_s if before else FLOOR_UNKNOWN_UM_S
    usual = min(floor, usual + (floor - usual) * _FOLLOW)
    return Ears({**ears.by_node, health.node: Ear(health.at_us, floor, usual)})
