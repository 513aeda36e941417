# SPDX-License-Identifier: MIT
"""Pipeline: the map table's state between steps, and its rows in the store."""

from __future__ import annotations

from gateway.fusion import FusionState
from gateway.fusion import step as fusion_step
from gateway.fusion.floors import NodeFloor, NoiseFloors
from gateway.fusion.rules import Rules
from gateway.model import text
from gateway.model.detection import Detection
from gateway.model.event import Event
from gateway.model.footfalls import Footfalls
from gateway.model.observation import NoiseFloor
from gateway.model.site import Site
from gateway.pipeline.journal import Journal
from gateway.store.interface import Snapshot, Writes

_EVENT, _EAR = "event:", "ear:"  # names of state rows
_LAST = "last_event"


class MapTable:
    """Holds the open events; `state` is replaced by every step."""

    def __init__(self, site: Site, rules: Rules, journal: Journal) -> None:
        self.state = FusionState()
        self._journal = journal
        self._site = site
        self._rules = rules
        self._saved = self.state
        self._ears: set[str] = set()  # nodes whose heartbeat is not kept yet

    def set_orders(self, site: Site, rules: Rules) -> None:
        """The site grew, or was measured anew; in replay, also other rules."""
        self._site, self._rules = site, rules

    def step(
        self, now_us: int, given: Detection | NoiseFloor | Footfalls | None
    ) -> tuple[Event, ...]:
        """Events that changed, oldest first."""
        before = self.state
        self.state, events = fusion_step(before, self._site, self._rules, now_us, given)
        if isinstance(given, NoiseFloor) and self.state is not before:
            self._ears.add(given.node)
        if given is None and self.state != before:
            self._journal.silence(now_us)
        return events

    def collect(self, writes: Writes) -> None:
        """State rows changed since the last call; an empty value ends a row."""
        before = {event.id: event for event in self._saved.events}
        now = {event.id: event for event in self.state.events}
        writes.state |= {f"{_EVENT}{name}": "" for name in before if name not in now}
        for name, event in now.items():
            if before.get(name) is not event:
                writes.state[f"{_EVENT}{name}"] = text.format_json(event)
        for name in sorted(self._ears):
            writes.state[f"{_EAR}{name}"] = text.format_json(self.state.floors.by_node[name])
        self._ears.clear()
        if self.state.last_number != self._saved.last_number:
            writes.state[_LAST] = str(self.state.last_number)
        self._saved = self.state

    def restore(self, snapshot: Snapshot) -> None:
        """Take up what an earlier run left."""
        events = [
            text.parse_json(value, Event)
            for name, value in snapshot.state.items()
            if name.startswith(_EVENT)
        ]
        # A node taken off the site has no place any more.
        kept = [event for event in events if set(event.nodes) <= set(self._site.nodes)]
        kept.sort(key=lambda event: int(event.id.removeprefix("e")))
        ears = {
            name.removeprefix(_EAR): text.parse_json(value, NodeFloor)
            for name, value in snapshot.state.items()
            if name.startswith(_EAR) and name.removeprefix(_EAR) in self._site.nodes
        }
        last = int(snapshot.state.get(_LAST, "0"))
        self.state = FusionState(tuple(kept), last, NoiseFloors(ears))
        self._saved = self.state
