# SPDX-License-Identifier: MIT
"""The duty officer's orders as JSON and back, so that a restart goes on where it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, TypeVar

from gateway.alarms.state import AlarmState
from gateway.model.orders import Mask, Override, Purpose, Walk

_Order = TypeVar("_Order", Mask, Walk, Override)


def orders_to_dict(state: AlarmState) -> dict[str, Any]:
    """Plain values."""
    walks = [asdict(walk) | {"purpose": walk.purpose.value} for walk in state.walks]
    return {
        "masks": [asdict(mask) for mask in state.masks],
        "walks": walks,
        "overrides": [asdict(override) for override in state.overrides],
        "last_order": state.last_order,
    }


def orders_from_dict(state: AlarmState, value: Mapping[str, Any]) -> AlarmState:
    """The state with the orders of `orders_to_dict`, after a round through JSON."""
    walks = (_order(Walk, row) for row in value["walks"])
    return replace(
        state,
        masks=tuple(_order(Mask, row) for row in value["masks"]),
        walks=tuple(replace(walk, purpose=Purpose(walk.purpose)) for walk in walks),
        overrides=tuple(_order(Override, row) for row in value["overrides"]),
        last_order=value["last_order"],
    )


def _order(kind: type[_Order], row: Mapping[str, Any]) -> _Order:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return kind(**values)
