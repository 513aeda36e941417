# SPDX-License-Identifier: MIT
"""Configuration: site.toml, read strictly into the site of the model."""

from __future__ import annotations

from pathlib import Path

from gateway import toml_table
from gateway.model.site import LINKS, RESERVED_IDS, WIFI, Ground, Node, Sector, Site
from gateway.toml_table import Table

_GAIN_DB_MAX = 40


def load_site(path: Path) -> Site:
    """Read a site.toml. Raises ConfigError with one line."""
    root = toml_table.load(path)
    head = root.table("site", required=True)
    name = head.identifier("name", "north_fence")
    head.done()
    ground = _ground(root.table("ground"))
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
    return Site(name, nodes, sectors, ground)


def _ground(table: Table) -> Ground:
    own = Ground()
    low_high = {
        "exponent": (0.2, 3.0),
        "absorption_per_m": (0.0, 0.5),
        "absorption_sigma": (0.05, 2.0),
        "path_db": (1.0, 20.0),
        "walker_db": (-60.0, 80.0),
        "walker_sigma_db": (1.0, 30.0),
        "wave_m_s": (50.0, 2000.0),
        "wave_sigma": (0.02, 1.0),
    }
    values = {}
    for key, (low, high) in low_high.items():
        values[key] = table.number(key, getattr(own, key), getattr(own, key))
        if not low <= values[key] <= high:
            raise table.fail(key, f"must be {low:g} to {high:g}", f"{key} = {getattr(own, key):g}")
    table.done()
    return Ground(**values)


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
        gain_db=table.number("gain_db", 1.5, 0.0),
        link=table.choice("link", LINKS, WIFI),
    )
    if abs(node.gain_db) > _GAIN_DB_MAX:
        raise table.fail("gain_db", f"must be -{_GAIN_DB_MAX} to {_GAIN_DB_MAX}", "gain_db = 1.5")
    table.done()
    return node
