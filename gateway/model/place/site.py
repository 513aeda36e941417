# SPDX-License-Identifier: MIT
"""Model: the site as placed on the ground: nodes, sectors, local metres (east, north)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nsmallest

from gateway.model.place.geodesy import Origin, PositionError, to_wgs84

# User names at the broker that are no nodes: the gateway itself, and the ACL probe.
RESERVED_IDS = frozenset({"gateway", "canary"})

# How a node reaches the gateway.
WIFI, SERIAL = LINKS = ("wifi", "serial")

# Nodes further apart do not confirm each other: a walker is detected to 30 or 50 m.
NEIGHBOUR_M = 80.0
MAX_NEIGHBOURS = 16

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Node:
    """One placed node; positions in metres east and north of the site's origin.

    `height_m` is above the WGS 84 ellipsoid; None: that of the origin. `error_m` is the radius that
    holds the position in 2 of 3 cases; None: it was measured on the ground.
    """

    id: str
    x_m: float
    y_m: float
    sector: str
    board: str = ""
    pir_azimuth_deg: float | None = None
    pir_range_m: float | None = None
    gain_db: float = 0.0
    link: str = WIFI
    height_m: float | None = None
    battery_wh: float | None = None  # when it was put in
    battery_since_us: int | None = None  # UTC microseconds
    error_m: float | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """How level falls with distance: r^-exponent e^(-absorption r), in um/s of peak velocity.

    Absorption is known within a factor of e^`absorption_sigma` (deviation).
    `path_db` is the deviation of one path from a foot to a node from that, `walker_db`
    the level of a walker at 1 m over 1 um/s, within `walker_sigma_db`. The wave of a step runs at
    `wave_m_s`, within a factor of e^`wave_sigma` (deviation). These are of loam, for a site
    without calibration; a walk test finds those of a site and each node's `gain_db`.
    """

    exponent: float = 0.5
    absorption_per_m: float = 0.03
    path_db: float = 4.6
    walker_db: float = 16.0
    walker_sigma_db: float = 8.0
    absorption_sigma: float = 0.5
    wave_m_s: float = 170.0
    wave_sigma: float = 0.4


@dataclass(frozen=True, slots=True)
class Sector:
    """A named area of the site; the polygon may be empty."""

    id: str
    polygon: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """Name, nodes by id, sectors by id. The name is part of every topic.

    `origin` is where local (0, 0) is on Earth; None: it was not surveyed, and the site has local
    metres alone.
    """

    name: str
    nodes: dict[str, Node]
    sectors: dict[str, Sector]
    ground: Ground = Ground()
    origin: Origin | None = None
    _near: dict[str, tuple[str, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def latlon(
        self, x_m: float, y_m: float, height_m: float | None = None
    ) -> tuple[float, float] | None:
        """WGS 84 latitude and longitude; None without an origin, or too far from it for a map."""
        if self.origin is None:
            return None
        try:
            return to_wgs84(self.origin, x_m, y_m, height_m)
        except PositionError:
            return None

    def around(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """These nodes and their neighbours: the nearest few of each, none beyond NEIGHBOUR_M."""
        found: dict[str, None] = {}
        for node in nodes:
            if node not in self._near:
                self._near[node] = self._neighbours(node)
            found |= dict.fromkeys(self._near[node])
        return tuple(found)

    def _neighbours(self, node: str) -> tuple[str, ...]:
        here = self.nodes[node]
        away = (
            (math.hypot(one.x_m - here.x_m, one.y_m - here.y_m), name)
            for name, one in self.nodes.items()
        )
        near = nsmallest(MAX_NEIGHBOURS, (pair for pair in away if pair[0] <= NEIGHBOUR_M))
        return tuple(name for _, name in near)

    def sector_nodes(self, sector: str) -> tuple[str, ...]:
        return tuple(node.id for node in self.nodes.values() if node.sector == sector)
