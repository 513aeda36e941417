# SPDX-License-Identifier: MIT
"""Fusion: the observation types that it takes, in the order in which their reasons are listed."""

from __future__ import annotations

from typing import Any

from gateway.fusion.kinds.contact import ContactKind
from gateway.fusion.kinds.detection import DetectionKind
from gateway.fusion.kinds.footfalls import FootfallsKind
from gateway.fusion.kinds.kind import Kind
from gateway.fusion.kinds.noise_floor import NoiseFloorKind
from gateway.fusion.kinds.plot import PlotKind
from gateway.fusion.kinds.presence import PresenceKind

KINDS: tuple[Kind[Any], ...] = (
    DetectionKind(),
    PlotKind(),
    PresenceKind(),
    FootfallsKind(),
    ContactKind(),
    NoiseFloorKind(),
)
_BY_TYPE = {kind.observation: kind for kind in KINDS}
# Other observation types are not for fusion: `step` leaves the state as it is.
HANDLED: tuple[type[Any], ...] = tuple(_BY_TYPE)


def kind_of(observation: object) -> Kind[Any] | None:
    """How fusion takes it, or None when it does not."""
    return _BY_TYPE.get(type(observation))
