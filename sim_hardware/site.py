# SPDX-License-Identifier: MIT
"""Ground layer: the plan of a site. `site.toml` of a take, read strictly and written."""

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim_hardware.errors import SimError

NODES_MAX = 1000
SECTORS_MAX = 200
_CORNERS_MAX = 1000
_BYTES_MAX = 1 << 20
_ID = re.compile(r"[a-z0-9_-]{1,16}")
Table = dict[str, Any]
# Keys of [site] with minimum and maximum.
ORIGIN = {
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
    "height_m": (-1000.0, 10_000.0),
    "error_m": (0.01, 10_000.0),
}


@dataclass(frozen=True)
class NodeSpec:
    """A node on the plan; `pir_range_m` 0 means it has no PIR. Azimuth clockwise from north."""

    id: str
    x_m: float
    y_m: float
    sector: str
    board: str = "pico_w"
    pir_azimuth_deg: float = 0.0
    pir_range_m: float = 0.0


@dataclass(frozen=True)
class SectorSpec:
    """A named area, corners in local metres."""

    id: str
    polygon: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class OriginSpec:
    """Where local (0, 0) is: WGS 84 degrees, metres above the ellipsoid. Only maps use it."""

    latitude: float
    longitude: float
    height_m: float = 0.0
    error_m: float = 5.0


@dataclass(frozen=True)
class Site:
    """A plan: east and north in metres from a local origin."""

    name: str
    nodes: tuple[NodeSpec, ...]
    sectors: tuple[SectorSpec, ...] = ()
    origin: OriginSpec | None = None


def read_site(path: Path) -> Site:
    """Read site.toml. Raises SimError with one line that names the error."""
    try:
        if path.stat().st_size > _BYTES_MAX:
            raise SimError(f"{path}: larger than {_BYTES_MAX} bytes, this is no site file")
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SimError(f"{path}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SimError(f"{path}: not valid TOML ({error})") from None
    try:
        return _site(table)
    except SimError as error:
        raise SimError(f"{path}: {error}") from None


def _site(table: Table) -> Site:
    _known(table, "site.toml", {"site", "node", "sector"})
    head = table.get("site")
    if not isinstance(head, dict):
        raise SimError('[site] with name = "..." is missing')
    _known(head, "[site]", {"name", *ORIGIN})
    nodes = tuple(_node(row) for row in _rows(table, "node", NODES_MAX))
    sectors = tuple(_sector(row) for row in _rows(table, "sector", SECTORS_MAX))
    if not nodes:
        raise SimError("no [[node]]; a site needs at least one")
    for what, ids in (("node", [n.id for n in nodes]), ("sector", [s.id for s in sectors])):
        doubled = sorted({one for one in ids if ids.count(one) > 1})
        if doubled:
            raise SimError(f"{what} id {doubled[0]} is used twice")
    return Site(identifier(head, "name", "[site]"), nodes, sectors, _origin(head))


def _origin(head: Table) -> OriginSpec | None:
    if not any(key in head for key in ORIGIN):
        return None
    keys = [key for key in ORIGIN if key in head or key in ("latitude", "longitude")]
    return OriginSpec(**{key: _number(head, key, "[site]", *ORIGIN[key]) for key in keys})


def _rows(table: Table, key: str, most: int) -> list[Table]:
    rows = table.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SimError(f"{key} must be written as [[{key}]]")
    if len(rows) > most:
        raise SimError(f"{len(rows)} [[{key}]] are more than {most}")
    return rows


def _node(row: Table) -> NodeSpec:
    _known(
        row,
        "[[node]]",
        {"id", "x_m", "y_m", "sector", "board", "pir_azimuth_deg", "pir_range_m"},
    )
    where = f"node {row.get('id')}"
    return NodeSpec(
        id=identifier(row, "id", "[[node]]"),
        x_m=_number(row, "x_m", where, -1e5, 1e5),
        y_m=_number(row, "y_m", where, -1e5, 1e5),
        sector=identifier(row, "sector", where) if "sector" in row else "",
        board=identifier(row, "board", where) if "board" in row else "pico_w",
        pir_azimuth_deg=_number(row, "pir_azimuth_deg", where, 0.0, 360.0, 0.0),
        pir_range_m=_number(row, "pir_range_m", where, 0.0, 50.0, 0.0),
    )


def _sector(row: Table) -> SectorSpec:
    _known(row, "[[sector]]", {"id", "polygon"})
    where = f"sector {row.get('id')}"
    corners = row.get("polygon")
    if not isinstance(corners, list) or not 3 <= len(corners) <= _CORNERS_MAX:
        raise SimError(f"{where}: polygon must be a list of 3..{_CORNERS_MAX} [x_m, y_m] corners")
    polygon = []
    for corner in corners:
        if not isinstance(corner, list) or len(corner) != 2:
            raise SimError(f"{where}: {corner!r} is no [x_m, y_m] corner")
        x_m, y_m = (_bounded(value, f"{where}: polygon", -1e5, 1e5) for value in corner)
        polygon.append((x_m, y_m))
    return SectorSpec(identifier(row, "id", "[[sector]]"), tuple(polygon))


def _known(table: Table, where: str, keys: set[str]) -> None:
    for key in table:
        if key not in keys:
            raise SimError(f"{where}: unknown key {key}; known: {', '.join(sorted(keys))}")


def identifier(table: Table, key: str, where: str) -> str:
    """A name that fits the wire's topics. Raises SimError."""
    value = table.get(key)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise SimError(f"{where}: {key} must be 1..16 of a-z 0-9 _ -, not {value!r}")
    return value


def _number(
    table: Table, key: str, where: str, low: float, high: float, default: float | None = None
) -> float:
    return _bounded(table.get(key, default), f"{where}: {key}", low, high)


def _bounded(value: object, where: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise SimError(f"{where} must be a number {low:g}..{high:g}, not {value!r}")
    return float(value)


def write_site(site: Site, path: Path) -> None:
    """Write site.toml so that read_site returns the same Site."""
    lines = ["[site]", f"name = {json.dumps(site.name)}"]
    if site.origin is not None:
        lines += [f"{key} = {getattr(site.origin, key)!r}" for key in ORIGIN]
    for node in site.nodes:
        lines += ["", "[[node]]", f"id = {json.dumps(node.id)}"]
        lines += [f"x_m = {node.x_m!r}", f"y_m = {node.y_m!r}"]
        if node.sector:
            lines.append(f"sector = {json.dumps(node.sector)}")
        lines += [
            f"board = {json.dumps(node.board)}",
            f"pir_azimuth_deg = {node.pir_azimuth_deg!r}",
            f"pir_range_m = {node.pir_range_m!r}",
        ]
    for sector in site.sectors:
        corners = ", ".join(f"[{x_m!r}, {y_m!r}]" for x_m, y_m in sector.polygon)
        lines += ["", "[[sector]]", f"id = {json.dumps(sector.id)}", f"polygon = [{corners}]"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
