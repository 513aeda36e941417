# SPDX-License-Identifier: MIT
"""Configuration: what is valid in itself and still has no effect, or hardly the one intended.

Findings that are certain are problems, others are warnings. Files on the disk are not looked at.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.alarms.schedule import WEEK_MIN, Schedule
from gateway.config.alarms import Arming, Confirmation
from gateway.config.fields import is_loopback
from gateway.config.gateway_file import GatewayConfig, GatewayFile
from gateway.config.network import BrokerKind
from gateway.config.site import SiteFile
from gateway.model.place.area import is_crossed, outside_m
from gateway.model.place.site import SERIAL, WIFI, Node, Site

_FAR_OUTSIDE_M = 50.0
_FAR_APART_M = 5_000.0
_SAME_PLACE_M = 0.5
_NO_SECTOR = "site"  # of a node that names none
# Where a notification of each kind goes; the same twice is a copy that was not finished.
_PLACES = ("url", "topic", "host", "to", "prefix")


@dataclass(frozen=True, slots=True)
class Finding:
    """At a key of its file, such as `node[2].sector`."""

    key: str
    text: str
    is_problem: bool = False


def of_site(file: SiteFile, site: Site) -> Iterator[Finding]:
    """Sectors and places."""
    declared = {one.id for one in file.sector}
    used = {one.sector for one in file.node}
    for index, table in enumerate(file.sector):
        if is_crossed(table.polygon):
            yield Finding(f"sector[{index}].polygon", f"sides of {table.id} cross each other")
        if file.node and table.id not in used:
            yield Finding(f"sector[{index}].id", f"no node is in sector {table.id}")
    for index, node in enumerate(file.node):
        at = f"node[{index}]"
        if declared and node.sector not in declared:
            names = ", ".join(sorted(declared)[:10])
            is_default = node.sector == _NO_SECTOR
            yield Finding(
                f"{at}.sector",
                f"{node.id} is in {node.sector!r}, which no [[sector]] declares; there are {names}",
                is_problem=not is_default,
            )
        yield from _placed(at, site.nodes[node.id], site)
    if site.origin is not None and (site.origin.latitude, site.origin.longitude) == (0, 0):
        yield Finding("site.latitude", "latitude 0, longitude 0 is in the Atlantic")


def _placed(at: str, node: Node, site: Site) -> Iterator[Finding]:
    here = (node.x_m, node.y_m)
    polygon = site.sectors[node.sector].polygon
    away_m = outside_m(polygon, here) if polygon else 0.0
    if away_m > _FAR_OUTSIDE_M:
        yield Finding(at, f"{node.id} is {away_m:.0f} m outside of its sector {node.sector}")
    others = [one for one in site.nodes.values() if one.id != node.id]
    near = min(others, key=lambda one: math.dist(here, (one.x_m, one.y_m)), default=None)
    if near is None:
        return
    apart_m = math.dist(here, (near.x_m, near.y_m))
    if apart_m < _SAME_PLACE_M:
        yield Finding(at, f"{node.id} and {near.id} are at the same place")
    elif apart_m > _FAR_APART_M:
        yield Finding(at, f"{node.id} is {apart_m / 1000:.0f} km from every other node")


def of_gateway(file: GatewayFile, config: GatewayConfig, site: Site) -> Iterator[Finding]:
    """Addresses, schedules and connectors. `file` and `config` are of the same values."""
    yield from _addresses(config, site)
    yield from _schedules(file, config)
    seen: dict[tuple[Any, ...], str] = {}
    for index, (_kind, one) in enumerate(config.connectors):
        place = (one.kind, *(getattr(one, name, None) for name in _PLACES))
        if place in seen:
            words = f"{one.name} and {seen[place]} go to the same place"
            yield Finding(f"connector[{index}]", words)
        seen.setdefault(place, one.name)


def _addresses(config: GatewayConfig, site: Site) -> Iterator[Finding]:
    by_radio = [one.id for one in site.nodes.values() if one.link == WIFI]
    by_line = [one.id for one in site.nodes.values() if one.link == SERIAL]
    broker = config.broker
    if by_radio and broker.kind is not BrokerKind.EXTERNAL and is_loopback(broker.host):
        words = f"{by_radio[0]} is a node of Wi-Fi, and no node reaches {broker.host}"
        yield Finding("broker.host", f"{words}; 0.0.0.0 is every address of this machine")
    if by_line and not config.serial:
        yield Finding("serial", f"{by_line[0]} is on a serial line, and there is no [[serial]]")
    if config.nodes is not None:
        if is_loopback(config.nodes.host):
            yield Finding("nodes.host", f"no node reaches {config.nodes.host}")
        if config.nodes.passphrase is None:
            yield Finding("nodes.ssid", "an open network: there is no passphrase")
    if broker.kind is not BrokerKind.EXTERNAL and not _can_be_own(broker.host):
        yield Finding("broker.host", f"{broker.host} can be no address of this machine", True)


def _can_be_own(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return True
    return not (address.is_multicast or host == "255.255.255.255")


def _schedules(file: GatewayFile, config: GatewayConfig) -> Iterator[Finding]:
    armed = config.alarms.schedules
    tables: list[tuple[str, Arming | Confirmation]] = []
    tables += [(f"arming[{index}].armed", one) for index, one in enumerate(file.arming)]
    tables += [(f"confirmation[{i}].confirmed", one) for i, one in enumerate(file.confirmation)]
    for key, table in tables:
        schedule = table.schedule(table.time_zone or file.gateway.time_zone or "UTC")
        minutes = _minutes(schedule)
        if isinstance(table, Arming):
            if len(minutes) == WEEK_MIN:
                yield Finding(key, "is the whole week, as without a schedule")
            continue
        for sector in table.sectors:
            if sector in armed and not _overlap(schedule, armed[sector]):
                yield Finding(key, f"{sector} is never armed at these times", True)


def _overlap(one: Schedule, other: Schedule) -> bool:
    """Of schedules in two time zones, which shift against each other, it is taken as given."""
    return one.zone != other.zone or bool(_minutes(one) & _minutes(other))


def _minutes(schedule: Schedule) -> set[int]:
    """Of the week, those that are inside."""
    return {
        minute % WEEK_MIN
        for window in schedule.windows
        for minute in range(window.begin, window.end)
    }
