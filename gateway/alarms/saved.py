# SPDX-License-Identifier: MIT
"""Alarms: operator actions in force as one value, kept over a restart."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.alarms.state import AlarmState
from gateway.model.actions.overrides import Mask, Override, Walk


@dataclass(frozen=True, slots=True)
class SavedOverrides:
    """Operator actions in force, and the last number given."""

    masks: tuple[Mask, ...]
    walks: tuple[Walk, ...]
    overrides: tuple[Override, ...]
    last_order: int


def saved_overrides(state: AlarmState) -> SavedOverrides:
    """Those of the state."""
    return SavedOverrides(state.masks, state.walks, state.overrides, state.last_order)


def with_overrides(state: AlarmState, saved: SavedOverrides) -> AlarmState:
    """The state with these overrides."""
    return replace(
        state,
        masks=saved.masks,
        walks=saved.walks,
        overrides=saved.overrides,
        last_order=saved.last_order,
    )
