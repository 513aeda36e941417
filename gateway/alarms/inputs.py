# SPDX-License-Identifier: MIT
"""The duty officer's inputs: what the map table and the door tell, what operators do, and time."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.acts import Act
from gateway.model.alarm import AlarmKind
from gateway.model.event import Event


@dataclass(frozen=True, slots=True)
class EventChanged:
    """The map table changed an event."""

    event: Event


@dataclass(frozen=True, slots=True)
class NodeTrouble:
    """Something about a node began or ended."""

    kind: AlarmKind
    node: str
    sector: str
    detail: str  # tells apart troubles of one kind, e.g. the condition's name
    active: bool
    reason: str


@dataclass(frozen=True, slots=True)
class AreaTrouble:
    """Something about several nodes at once, in one sector or all over the site."""

    kind: AlarmKind
    key: str  # the sector, or "site"
    nodes: tuple[str, ...]
    sectors: tuple[str, ...]
    active: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes: what has an end ends, what nobody acknowledges is escalated."""


AlarmInput = EventChanged | NodeTrouble | AreaTrouble | Tick | Act
