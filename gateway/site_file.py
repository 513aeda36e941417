# SPDX-License-Identifier: MIT
"""Configuration: site.toml, read strictly into the site of the model."""

from __future__ import annotations

from pathlib import Path

from gateway import toml_table
from gateway.errors import ConfigError
from gateway.model.geodesy import MAX_HEIGHT_M, MIN_HEIGHT_M, Origin, PositionError, to_local
from gateway.model.site import LINKS, RESERVED_IDS, WIFI, Ground, Node, Sector, Site
from gateway.toml_table import Table

_GAIN_DB_MAX = 40


def load_site(path: Path) -> Site:
    """Read a site.toml. Raises ConfigError with one line."""
    root = toml_table.load(path)
    head = root.table("site", required=True)
    name = head.identifier("name", "north_fence")
    origin = _origin(head)
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
        node = _node(table, origin)
        if node.id in RESERVED_IDS:
            raise table.fail("id", f"{node.id!r} is a name the broker needs", 'id = "n01"')
        if node.id in nodes:
            raise table.fail("id", f"{node.id!r} is used twice", 'id = "n02"')
        nodes[node.id] = node
        sectors.setdefault(node.sector, Sector(node.sector))
    if not nodes:
        raise root.fail("node", "is missing", '[[node]] id = "n01", x_m = 0, y_m = 0')
    root.done()
    site = Site(name, nodes, sectors, ground, origin)
    _check_near(site, path)
    return site


def _origin(table: Table) -> Origin | None:
    example = {"latitude": 48.1374, "longitude": 11.5755, "height_m": 520.0, "error_m": 5.0}
    if not any(table.has(key) for key in example):
        return None
    given = {key: table.number(key, example[key]) for key in example if table.has(key)}
    for key in ("latitude", "longitude"):
        if key not in given:
            raise table.fail(key, "is missing", f"{key} = {example[key]}")
    try:
        return Origin(**given)
    except PositionError as error:
        key, _, problem = str(error).partition(" ")
        raise table.fail(key, problem, f"{key} = {example[key]}") from None


def _check_near(site: Site, path: Path) -> None:
    # What has a place on Earth has one for the map, for partners and for every sector's corner.
    if site.origin is None:
        return
    for node in site.nodes.values():
        if site.latlon(node.x_m, node.y_m, node.height_m) is None:
            raise ConfigError(f"{path}: node {node.id} is not within 150 km of the site's origin")
    for sector in site.sectors.values():
        if any(site.latlon(*corner) is None for corner in sector.polygon):
            raise ConfigError(
                f"{path}: sector {sector.id}: polygon is not within 150 km of the site's origin"
            )


def _place(table: Table, origin: Origin | None, height_m: float | None) -> tuple[float, float]:
    # x_m and y_m, or latitude and longitude.
    if not (table.has("latitude") or table.has("longitude")):
        return table.number("x_m", 25.0), table.number("y_m", 0.0)
    if table.has("x_m") or table.has("y_m"):
        raise table.fail("latitude", "and x_m are two places; keep one", "x_m = 25, y_m = 0")
    latitude = table.number("latitude", 48.1375)
    longitude = table.number("longitude", 11.5756)
    if origin is None:
        example = "[site] latitude = 48.1374, longitude = 11.5755"
        raise table.fail("latitude", "takes an origin of the site", example)
    try:
        return to_local(origin, latitude, longitude, height_m)
    except PositionError as error:
        raise table.fail("latitude", f"is invalid: {error}", "latitude = 48.1375") from None


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


def _node(table: Table, origin: Origin | None) -> Node:
    pir = {
        key: table.number(key, example) if table.has(key) else None
        for key, example in (("pir_azimuth_deg", 90.0), ("pir_range_m", 12.0))
    }
    height_m = table.number("height_m", 520.0) if table.has("height_m") else None
    if height_m is not None and not MIN_HEIGHT_M <= height_m <= MAX_HEIGHT_M:
        problem = f"must be {MIN_HEIGHT_M:g} to {MAX_HEIGHT_M:g}"
        raise table.fail("height_m", problem, "height_m = 520.0")
    name = table.identifier("id", "n01")
    x_m, y_m = _place(table, origin, height_m)
    node = Node(
        id=name,
        x_m=x_m,
        y_m=y_m,
        sector=table.identifier("sector", "gate") if table.has("sector") else "site",
        board=table.optional_text("board", "pico_w") or "",
        pir_azimuth_deg=pir["pir_azimuth_deg"],
        pir_range_m=pir["pir_range_m"],
        gain_db=table.number("gain_db", 1.5, 0.0),
        link=table.choice("link", LINKS, WIFI),
        height_m=height_m,
    )
    if abs(node.gain_db) > _GAIN_DB_MAX:
        raise table.fail("gain_db", f"must be -{_GAIN_DB_MAX} to {_GAIN_DB_MAX}", "gain_db = 1.5")
    table.done()
    return node
