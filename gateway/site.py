# SPDX-License-Identifier: MIT
"""Configuration: the site as placed on the ground: nodes, sectors, local metres (east, north)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway import toml_table
from gateway.toml_table import Table

# User names at the broker that are no nodes: the gateway itself, and who tests the rules.
RESERVED_IDS = frozenset({"gateway", "canary"})

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Node:
    """One placed node; positions in metres east and north of the site's origin."""

    id: str
    x_m: float
    y_m: float
    sector: str
    board: str = ""
    pir_azimuth_deg: float | None = None
    pir_range_m: float | None = None


@dataclass(frozen=True, slots=True)
class Sector:
    """A named area of the site; the polygon may be empty when nobody drew it."""

    id: str
    polygon: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """Name, nodes by id, sectors by id. The name is part of every topic."""

    name: str
    nodes: dict[str, Node]
    sectors: dict[str, Sector]

    def sector_nodes(self, sector: str) -> tuple[str, ...]:
        return tuple(node.id for node in self.nodes.values() if node.sector == sector)


def load_site(path: Path) -> Site:
    """Read a site.toml. Raises ConfigError with one line."""
    root = toml_table.load(path)
    head = root.table("site", required=True)
    name = head.identifier("name", "north_fence")
    head.done()
    sectors: dict[str, Sector] = {}
    for table in root.tables("sector"):
        sector = Sector(table.identifier("id", "gate"), table.points("polygon"))
        if sector.id in sectors:
            raise table.fail("id", f"{sector.id!r} is used twice", 'id = "gate2"')
        table.done()
        sectors[sector.id] = sector
    nodes: dict[str, Node] = {}
    for table in root.tables("node"):
        node = _node(table)
        if node.id in RESERVED_IDS:
            raise table.fail("id", f"{node.id!r} is a name the broker needs", 'id = "n01"')
        if node.id in nodes:
            raise table.fail("id", f"{node.id!r} is used twice", 'id = "n02"')
        nodes[node.id] = node
        sectors.setdefault(node.sector, Sector(node.sector))
    if not nodes:
        raise root.fail("node", "is missing", '[[node]] id = "n01", x_m = 0, y_m = 0')
    root.done()
    return Site(name, nodes, sectors)


def _node(table: Table) -> Node:
    pir = {
        key: table.number(key, example) if table.has(key) else None
        for key, example in (("pir_azimuth_deg", 90.0), ("pir_range_m", 12.0))
    }
    node = Node(
        id=table.identifier("id", "n01"),
        x_m=table.number("x_m", 25.0),
        y_m=table.number("y_m", 0.0),
        sector=table.identifier("sector", "gate") if table.has("sector") else "site",
        board=table.optional_text("board", "pico_w") or "",
        pir_azimuth_deg=pir["pir_azimuth_deg"],
        pir_range_m=pir["pir_range_m"],
    )
    table.done()
    return node
