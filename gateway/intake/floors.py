# SPDX-License-Identifier: MIT
"""Intake: noise floors of heartbeats: only changes are logged, since heartbeats are most of what a
large site sends."""

from __future__ import annotations

from typing import Protocol

from gateway.model.observation import NoiseFloor

_EVERY_US = 100_000_000
_FACTOR = 1.25  # 2 dB


class Floored(Protocol):
    """What is known of the node (gateway.intake.nodes.registry.NodeView)."""

    floor_um_s: float | None

    @property
    def is_sentinel(self) -> bool: ...


class NoiseFloors:
    """The latest floor of each node."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, float]] = {}

    def received(self, node: str, at_us: int, view: Floored) -> list[NoiseFloor]:
        """The observation, if the floor changed. Of a sentinel there is none: for fusion a node
        whose floor is known measures all the time."""
        floor_um_s = view.floor_um_s
        if view.is_sentinel or floor_um_s is None:
            return []
        known_us, known = self._known.get(node, (0, 0.0))
        recent = 0 <= at_us - known_us < _EVERY_US
        if recent and known / _FACTOR <= floor_um_s <= known * _FACTOR:
            return []
        self._known[node] = at_us, floor_um_s
        return [NoiseFloor(node, at_us, floor_um_s)]
