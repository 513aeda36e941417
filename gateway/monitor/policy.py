# SPDX-License-Identifier: MIT
"""Monitor: the policy in force: the site as placed, the rules of fusion, schedules, escalation.

An entry of the log holds it whole, so that replay steps every moment with the policy of then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from zoneinfo import ZoneInfo

import msgspec

from gateway.alarms import AlarmRules
from gateway.alarms.rules import EscalationStep
from gateway.alarms.schedule import Schedule, Window
from gateway.fusion.rules import Rules
from gateway.model import text
from gateway.model.actions.cue import CueKind
from gateway.model.place.geodesy import Origin
from gateway.model.place.site import Ground, Node, Point, Sector, Site


@dataclass(frozen=True, slots=True)
class Policy:
    """The site, the rules of fusion, and those of alarms. `devices` are the kinds of cue that each
    device takes, by its connector's name."""

    site: Site
    rules: Rules
    alarms: AlarmRules
    devices: Mapping[str, frozenset[CueKind]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The same for the same policy."""
        # Once through JSON: a whole number in a field of fractions is the same number.
        plain = text.parse_json(text.format_json(saved(self)), SavedPolicy)
        return sha256(text.format_json(plain).encode()).hexdigest()


class _SavedSite(msgspec.Struct, frozen=True):
    name: str
    ground: Ground
    nodes: tuple[Node, ...]
    sectors: tuple[tuple[str, tuple[Point, ...]], ...]
    origin: Origin | None = None


class _SavedSchedule(msgspec.Struct, frozen=True):
    zone: str
    windows: tuple[tuple[int, int], ...]
    text: str


class SavedPolicy(msgspec.Struct, frozen=True):
    """A policy as the log holds it."""

    site: _SavedSite
    rules: Rules
    schedules: dict[str, _SavedSchedule]
    escalation: tuple[EscalationStep, ...]
    devices: dict[str, tuple[CueKind, ...]] = {}
    confirmed: dict[str, _SavedSchedule] = {}


def saved(policy: Policy) -> SavedPolicy:
    """The policy in a form that JSON holds."""
    site, alarms = policy.site, policy.alarms
    return SavedPolicy(
        _SavedSite(
            site.name,
            site.ground,
            tuple(site.nodes.values()),
            tuple((sector.id, sector.polygon) for sector in site.sectors.values()),
            site.origin,
        ),
        policy.rules,
        _saved_schedules(alarms.schedules),
        alarms.escalation,
        {
            name: tuple(sorted(kinds, key=lambda kind: kind.value))
            for name, kinds in sorted(policy.devices.items())
        },
        _saved_schedules(alarms.confirmed),
    )


def _saved_schedules(given: Mapping[str, Schedule]) -> dict[str, _SavedSchedule]:
    return {
        name: _SavedSchedule(one.zone.key, tuple((w.begin, w.end) for w in one.windows), one.text)
        for name, one in given.items()
    }


def _schedules(saved: Mapping[str, _SavedSchedule]) -> dict[str, Schedule]:
    return {
        name: Schedule(_zone(one.zone), tuple(Window(*pair) for pair in one.windows), one.text)
        for name, one in saved.items()
    }


def restored(saved: SavedPolicy) -> Policy:
    """Inverse of `saved`. Raises ValueError."""
    site = saved.site
    nodes = {node.id: node for node in site.nodes}
    sectors = {name: Sector(name, polygon) for name, polygon in site.sectors}
    return Policy(
        Site(site.name, nodes, sectors, site.ground, site.origin),
        saved.rules,
        AlarmRules(
            {node.id: node.sector for node in nodes.values()},
            _schedules(saved.schedules),
            saved.escalation,
            _schedules(saved.confirmed),
        ),
        {name: frozenset(kinds) for name, kinds in saved.devices.items()},
    )


def _zone(key: str) -> ZoneInfo:
    try:
        return ZoneInfo(key)
    except (KeyError, OSError) as error:
        raise ValueError(f"{key!r} is not a time zone") from error
