# SPDX-License-Identifier: MIT
"""Intake: noise floors of heartbeats: one that says nothing new is not logged, since heartbeats are
most of what a large site sends."""

from __future__ import annotations

from typing import Protocol

from gateway.model.observation import NoiseFloor

_EVERY_US = 100_000_000
_FACTOR = 1.25  # 2 dB


class Heard(Protocol):
    """What is known of the node (gateway.intake.nodes.registry.NodeView)."""

    floor_um_s: float | None

    @property
    def is_sentinel(self) -> bool: ...


class NoiseFloors:
    """What each node said last."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, float]] = {}

    def received(self, node: str, at_us: int, view: Heard) -> list[NoiseFloor]:
        """The observation, if it says something new. Of a sentinel there is none: fusion takes a
        node whose floor it knows for one that listens."""
        floor_um_s = view.floor_um_s
        if view.is_sentinel or floor_um_s is None:
            return []
        known_us, known = self._known.get(node, (0, 0.0))
        recent = 0 <= at_us - known_us < _EVERY_US
        if recent and known / _FACTOR <= floor_um_s <= known * _FACTOR:
            return []
        self._known[node] = at_us, floor_um_s
        return [NoiseFloor(node, at_us, floor_um_s)]
