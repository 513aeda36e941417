# SPDX-License-Identifier: MIT
"""The duty officer's inputs: what the map table and the door tell, what operators do, and time."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.actions.acts import Act
from gateway.model.event import Event
from gateway.model.observation import AreaCondition, Claim, NodeCondition


@dataclass(frozen=True, slots=True)
class EventChanged:
    """The map table changed an event."""

    event: Event


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes: what has an end ends, what nobody acknowledges is escalated. `events` are the
    open ones, where known: an intrusion whose event is no longer among them is over."""

    events: frozenset[str] | None = None


AlarmInput = EventChanged | NodeCondition | AreaCondition | Claim | Tick | Act
