# SPDX-License-Identifier: MIT
"""Alarms: inputs: what fusion and intake report, operator actions, and time."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.actions.acts import Act
from gateway.model.event import Event
from gateway.model.observation import AreaCondition, Claim, NodeCondition


@dataclass(frozen=True, slots=True)
class EventChanged:
    """Fusion changed an event."""

    event: Event


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes: actions end, unacknowledged alarms escalate. `events` are the open ones, where
    known: an intrusion whose event is no longer among them is cleared."""

    events: frozenset[str] | None = None


AlarmInput = EventChanged | NodeCondition | AreaCondition | Claim | Tick | Act
