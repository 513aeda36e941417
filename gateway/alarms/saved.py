# SPDX-License-Identifier: MIT
"""Alarms: operator actions in force as one value, kept over a restart."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from gateway.alarms.state import AlarmState
from gateway.model.actions.overrides import Mask, Override, Walk


class SavedOverrides(msgspec.Struct, frozen=True, rename={"last_override": "last_order"}):
    """Operator actions in force, and the last number given; stores keep its first name."""

    masks: tuple[Mask, ...]
    walks: tuple[Walk, ...]
    overrides: tuple[Override, ...]
    last_override: int


def saved_overrides(state: AlarmState) -> SavedOverrides:
    """Those of the state."""
    return SavedOverrides(state.masks, state.walks, state.overrides, state.last_override)


def with_overrides(state: AlarmState, saved: SavedOverrides) -> AlarmState:
    """The state with these overrides."""
    return replace(
        state,
        masks=saved.masks,
        walks=saved.walks,
        overrides=saved.overrides,
        last_override=saved.last_override,
    )
