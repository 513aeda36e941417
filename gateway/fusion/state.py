# SPDX-License-Identifier: MIT
"""Fusion: what it keeps between steps: open events, noise floors, records of nodes, recent
presences and contacts.

Plain frozen dataclasses: `gateway.model.text` writes them as JSON and reads them back unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.fusion.floors import NoiseFloors
from gateway.fusion.records import NodeRecords
from gateway.model.event import Event
from gateway.model.observation import Contact, Presence


@dataclass(frozen=True, slots=True)
class FusionState:
    """Open events in order of their start, the number of the last one, each node's noise floor;
    presences and contacts that an event may still need; how many evaluations failed; what each
    node reported lately that nothing confirmed."""

    events: tuple[Event, ...] = ()
    last_number: int = 0
    floors: NoiseFloors = field(default_factory=NoiseFloors)
    presences: tuple[Presence, ...] = ()
    contacts: tuple[Contact, ...] = ()
    failures: int = 0
    records: NodeRecords = field(default_factory=NodeRecords)

    def find(self, event_id: str) -> Event | None:
        """The open event of that id."""
        return next((event for event in self.events if event.id == event_id), None)

    def with_event(self, new: Event) -> FusionState:
        """The event in the place of its earlier version, or as the newest."""
        if self.find(new.id) is None:
            return replace(self, events=(*self.events, new))
        events = tuple(new if event.id == new.id else event for event in self.events)
        return replace(self, events=events)

    def without_events(self, *ids: str) -> FusionState:
        """The state without these events."""
        return replace(self, events=tuple(event for event in self.events if event.id not in ids))
