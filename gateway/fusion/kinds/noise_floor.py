# SPDX-License-Identifier: MIT
"""Fusion: noise floors from heartbeats: a node that listens and reports nothing is evidence."""

from __future__ import annotations

from dataclasses import replace

from gateway.fusion.floors import update_floors
from gateway.fusion.kinds.kind import Context, Kind
from gateway.fusion.state import FusionState
from gateway.model.observation import NoiseFloor


class NoiseFloorKind(Kind[NoiseFloor]):
    """Kept by node; every later evaluation uses the floors."""

    observation = NoiseFloor

    def accepts(self, context: Context, given: NoiseFloor) -> bool:
        return given.node in context.site.nodes

    def note(self, context: Context, given: NoiseFloor) -> FusionState:
        floors = update_floors(context.state.floors, given)
        if floors is context.state.floors:
            return context.state
        return replace(context.state, floors=floors)
