# SPDX-License-Identifier: MIT
"""Intake: conditions of many nodes at once, from which nodes are received and which are missed."""

from __future__ import annotations

from gateway.alarms import AlarmRules, coverage
from gateway.alarms.coverage import Coverage, Presence
from gateway.alarms.rules import TICK_US
from gateway.model import text
from gateway.model.observation import AreaCondition
from gateway.model.place.site import Site
from gateway.store.interface import Snapshot, Writes

_ROW = "coverage"  # name of the state row


class CoverageWatch:
    """Looks once in every second, as of its beginning."""

    def __init__(self, site: Site) -> None:
        self._rules = _rules(site)
        self._state = self._saved = Coverage()
        self._looked_s = -1

    def set_site(self, site: Site) -> None:
        """The site has more nodes."""
        self._rules = _rules(site)

    def tick(self, now_us: int, presence: Presence) -> tuple[int, tuple[AreaCondition, ...]]:
        """(when, conditions that started or ended)."""
        second = now_us // TICK_US
        if second == self._looked_s:
            return now_us, ()
        self._looked_s = second
        at_us = second * TICK_US
        self._state, found = coverage.step(self._state, self._rules, presence, at_us)
        return at_us, found

    def collect(self, writes: Writes) -> None:
        """The state row, when it changed since the last call."""
        if self._state != self._saved:
            writes.state[_ROW] = text.format_json(self._state)
            self._saved = self._state

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from the state of an earlier run."""
        if _ROW in snapshot.state:
            known = text.parse_json(snapshot.state[_ROW], Coverage)
            self._state = self._saved = coverage.of_site(known, self._rules)


def _rules(site: Site) -> AlarmRules:
    return AlarmRules({node.id: node.sector for node in site.nodes.values()})
