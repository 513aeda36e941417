# SPDX-License-Identifier: MIT
"""Pipeline: the standing orders: where nodes are and what is worth an alarm; as text and back.

The journal keeps them whole, so that replay steps every moment with those in force then; the audit
tells each change with who made it, also one that was made while no gateway ran.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gateway.alarms import AlarmRules
from gateway.alarms.rules import EscalationStep
from gateway.alarms.schedule import Schedule, Window
from gateway.audit.log import AuditLog
from gateway.fusion.rules import Rules
from gateway.keys import KeyRing
from gateway.model.site import Ground, Node, Sector, Site
from gateway.outputs.outbox import Channel
from gateway.store.interface import Snapshot, Writes

_ROW = "standing"  # name of the state row
_DETAIL_MOST = 2000  # characters of one value in the audit; a longer one is told by its digest

Plain = dict[str, Any]


class Orders(NamedTuple):
    """The site as placed, the rules of fusion, schedules and escalation."""

    site: Site
    rules: Rules
    alarms: AlarmRules

    @property
    def digest(self) -> str:
        """The same for the same orders."""
        return sha256(repr(tuple(self)).encode()).hexdigest()


def to_dict(orders: Orders) -> Plain:
    """Plain values, whole."""
    site, alarms = orders.site, orders.alarms
    return {
        "site": {
            "name": site.name,
            "ground": asdict(site.ground),
            "nodes": [asdict(node) for node in site.nodes.values()],
            "sectors": [[sector.id, sector.polygon] for sector in site.sectors.values()],
        },
        "rules": asdict(orders.rules),
        "schedules": {
            sector: {
                "zone": schedule.zone.key,
                "windows": [[window.begin, window.end] for window in schedule.windows],
                "text": schedule.text,
            }
            for sector, schedule in alarms.schedules.items()
        },
        "escalation": [asdict(step) for step in alarms.escalation],
    }


def from_dict(value: Mapping[str, Any]) -> Orders:
    """Inverse of `to_dict`, after a round through JSON. Raises KeyError, TypeError, ValueError."""
    plain = value["site"]
    nodes = {one["id"]: Node(**one) for one in plain["nodes"]}
    sectors = {
        name: Sector(name, tuple((x, y) for x, y in polygon)) for name, polygon in plain["sectors"]
    }
    schedules = {
        sector: Schedule(
            ZoneInfo(one["zone"]), tuple(Window(*pair) for pair in one["windows"]), one["text"]
        )
        for sector, one in value["schedules"].items()
    }
    steps = tuple(EscalationStep(**step) for step in value["escalation"])
    return Orders(
        Site(plain["name"], nodes, sectors, Ground(**plain["ground"])),
        Rules(**value["rules"]),
        AlarmRules({node.id: node.sector for node in nodes.values()}, schedules, steps),
    )


def by_subject(orders: Orders) -> Plain:
    """The same by what each is about, as the audit tells it: "node n01", "arming gate"."""
    plain = to_dict(orders)
    site = plain["site"]
    return {
        "rules": plain["rules"],
        "ground": site["ground"],
        "escalation": plain["escalation"],
        **{f"node {node['id']}": node for node in site["nodes"]},
        **{f"sector {name}": polygon for name, polygon in site["sectors"]},
        **{f"arming {name}": one["text"] for name, one in plain["schedules"].items()},
    }


class NewOrders(NamedTuple):
    """Orders given to a pipeline that runs: with keys of all nodes, outputs, and these by subject
    without what nobody may read; `hidden` are subjects that changed in that."""

    orders: Orders
    keys: Mapping[str, KeyRing]
    channels: Sequence[Channel]
    outputs: Mapping[str, Any]
    hidden: Sequence[str] = ()


class OrderBook:
    """What was in force last. A change is told once, in the name of who made it."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._known: Plain | None = None
        self._changed = False

    def note(self, now_us: int, by: str, now: Plain, hidden: Sequence[str] = ()) -> list[str]:
        """Subjects that are others now, each with its entry in the audit; none the first time.

        `hidden` names those that changed in what nobody may read: an address or a secret.
        """
        now = json.loads(json.dumps(now))
        before, self._known = self._known, now
        self._changed = self._changed or now != before
        if before is None:
            return []
        subjects = dict.fromkeys((*before, *now))
        changed = [s for s in subjects if before.get(s) != now.get(s) or s in hidden]
        for subject in changed:
            reason = "address, secret or certificate" if subject in hidden else ""
            detail = {"before": _brief(before.get(subject)), "after": _brief(now.get(subject))}
            self._audit.add(now_us, by, "orders.change", subject, reason, detail=detail)
        return changed

    def collect(self, writes: Writes) -> None:
        """The state row, when it changed since the last call."""
        if self._changed:
            writes.state[_ROW] = json.dumps(self._known, separators=(",", ":"))
            self._changed = False

    def restore(self, snapshot: Snapshot) -> None:
        """Take up what an earlier run left."""
        if snapshot.state.get(_ROW):
            self._known = json.loads(snapshot.state[_ROW])


def _brief(value: Any) -> Any:
    text = json.dumps(value)
    return value if len(text) <= _DETAIL_MOST else sha256(text.encode()).hexdigest()
