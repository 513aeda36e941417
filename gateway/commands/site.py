# SPDX-License-Identifier: MIT
"""Commands: `groundwatch site show`, `site map` and `site plan`: where the nodes are."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import click

from gateway.api.schema.answers import Alarms, Nodes
from gateway.commands import site_map, site_plan
from gateway.commands.client import Client
from gateway.commands.options import PATH, Number, config_option, json_option
from gateway.commands.site_plan import SectorPlan, SitePlan
from gateway.config import load_config
from gateway.config.site import load_site
from gateway.errors import ConfigError
from gateway.files import write_atomic
from gateway.model.alarm import AlarmKind
from gateway.model.place.site import Node, Site
from gateway.store.reader import MAX_LIMIT

_floor_option = click.option(
    "--floor",
    type=Number(0.001, 100),
    default=site_plan.CALM_FLOOR_UM_S,
    metavar="UM_S",
    help="noise floor of the nodes in um/s, for example of a windy day",
)


@click.command()
@config_option("the gateway's configuration, which names site.toml")
@json_option("print one JSON object")
def show(config: Path, as_json: bool) -> None:
    """Sectors, nodes and positions of site.toml; a gateway need not run."""
    site = load_site(load_config(config).site)
    facts = _facts(site)
    if as_json:
        print(json.dumps(facts))
        return
    origin = site.origin
    where = "no origin: local metres only"
    if origin is not None:
        where = f"origin {origin.latitude:.6f},{origin.longitude:.6f} within {origin.error_m:g} m"
    print(f"{site.name}: {len(site.nodes)} nodes in {len(site.sectors)} sectors; {where}")
    for sector in site.sectors.values():
        area = f", polygon of {len(sector.polygon)} corners" if sector.polygon else ""
        print(f"sector {sector.id}: {len(site.sector_nodes(sector.id))} nodes{area}")
    if site.nodes:
        print(
            f"{'node':<16}  {'sector':<16}  {'x m':>9}  {'y m':>9}  {'latitude, longitude':<22}  "
        )
    for node in site.nodes.values():
        print(_row(site, node))


@click.command("map")
@click.option("--out", type=PATH, metavar="FILE", help="write .svg or .html  [default: text]")
@click.option("--live", is_flag=True, help="with the states and alarms of the running gateway")
@click.option("--radius", is_flag=True, help="with a circle around each node: see site plan")
@_floor_option
@click.option("--replace", is_flag=True, help="overwrite FILE")
@config_option("the gateway's configuration, which names site.toml")
@json_option("print what was written as one JSON object")
def draw_map(
    out: Path | None,
    live: bool,
    radius: bool,
    floor: float,
    replace: bool,
    config: Path,
    as_json: bool,
) -> None:
    """The plan that the console shows."""
    loaded = load_config(config)
    site = load_site(loaded.site)
    state = _live(Client(loaded.data_dir)) if live else None
    if out is None:
        if as_json or radius:
            raise ConfigError("--json and --radius need --out FILE, for example --out site.svg")
        for line in site_map.text(site, get_terminal_size().columns, state):
            print(line)
        return
    if out.suffix not in (".svg", ".html"):
        raise ConfigError(f"--out {out} must end with .svg or .html, for example --out site.svg")
    if out.exists() and not replace:
        raise ConfigError(f"{out} exists: name another file, or add --replace")
    nodes = site.nodes.values() if radius else ()
    radii = {one.id: site_plan.radius_m(site.ground, one, floor) for one in nodes}
    drawing = site_map.svg(site, state, radii)
    data = drawing if out.suffix == ".svg" else site_map.html(site, drawing)
    try:
        write_atomic(out, data, 0o644)
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror}") from None
    facts = {"type": "map", "file": str(out), "nodes": len(site.nodes), "radius_m": radii}
    print(json.dumps(facts) if as_json else f"{out}: {len(site.nodes)} nodes of {site.name}")


@click.command("plan")
@_floor_option
@config_option("the gateway's configuration, which names site.toml")
@json_option("print one JSON object")
def check_plan(floor: float, config: Path, as_json: bool) -> int:
    """1 when a sector has a gap. The radius is computed: a walk test measures it."""
    site = load_site(load_config(config).site)
    found = site_plan.plan(site, floor)
    gaps = sum(len(one.gaps) for one in found.sectors)
    if as_json:
        print(json.dumps({"type": "plan", "gap_count": gaps, **asdict(found)}))
        return int(gaps > 0)
    for line in _plan_lines(found):
        print(line)
    print(f"{gaps} gaps" if gaps != 1 else "1 gap")
    return int(gaps > 0)


def _facts(site: Site) -> dict[str, Any]:
    sectors = [
        {"id": one.id, "polygon": one.polygon, "nodes": site.sector_nodes(one.id)}
        for one in site.sectors.values()
    ]
    nodes = []
    for node in site.nodes.values():
        at = site.latlon(node.x_m, node.y_m, node.height_m)
        latitude, longitude = at or (None, None)
        nodes.append({**asdict(node), "latitude": latitude, "longitude": longitude})
    origin = None if site.origin is None else asdict(site.origin)
    return {"type": "site", "site": site.name, "origin": origin, "sectors": sectors, "nodes": nodes}


def _row(site: Site, node: Node) -> str:
    at = site.latlon(node.x_m, node.y_m, node.height_m)
    degrees = "" if at is None else f"{at[0]:.6f}, {at[1]:.6f}"
    more = [node.board, f"link {node.link}"]
    if node.error_m is not None:
        more.append(f"within {node.error_m:g} m")
    if node.gain_db:
        more.append(f"gain {node.gain_db:+.1f} dB")
    words = "  ".join(one for one in more if one)
    place = f"{node.x_m:>9.2f}  {node.y_m:>9.2f}"
    return f"{node.id:<16}  {node.sector:<16}  {place}  {degrees:<22}  {words}".rstrip()


def _live(client: Client) -> site_map.Live:
    """Raises ConfigError when no gateway runs."""
    states = {one.id: one.state for one in client.get("/nodes", Nodes).nodes}
    found = client.get("/alarms", Alarms, {"state": "open", "limit": MAX_LIMIT}).alarms
    intrusions = [one for one in found if one.kind is AlarmKind.INTRUSION]
    active = [one for one in intrusions if one.active and not one.late]
    targets = tuple(
        site_map.Target(one.id, one.target.value if one.target else "unknown", one.x_m, one.y_m)
        for one in active
        if one.x_m is not None and one.y_m is not None
    )
    alarmed = frozenset(sector for one in active if one.unacknowledged for sector in one.sectors)
    return site_map.Live(states, alarmed, targets)


def _plan_lines(found: SitePlan) -> list[str]:
    lines = [f"{found.site}: a walker over a noise floor of {found.floor_um_s:g} um/s"]
    for sector in found.sectors:
        lines += _sector_lines(sector)
    for link in found.between:
        names, sectors = " to ".join(link.nodes), " and ".join(link.sectors)
        gap = f", {link.gap_m:.0f} m of it beyond both" if link.gap_m else ""
        lines.append(f"between {sectors}: {names}, {link.apart_m:.0f} m apart{gap}")
    return lines


def _sector_lines(sector: SectorPlan) -> list[str]:
    parts = [f"sector {sector.sector}: {len(sector.nodes)} nodes"]
    if sector.spacing_m is not None:
        least, median, most = sector.spacing_m
        parts.append(f"spacing {least:.0f} to {most:.0f} m (median {median:.0f})")
    if sector.radius_m is not None:
        least, most = sector.radius_m
        far = f"{least:.0f} m" if round(least) == round(most) else f"{least:.0f} to {most:.0f} m"
        parts.append(f"detection radius {far}")
    if sector.covered_pct is not None:
        parts.append(f"{sector.covered_pct:.0f} % of its area covered")
    pcts = [one.detected_pct for one in sector.links]
    if pcts:
        known = [one for one in pcts if one is not None]
        pct = f"{min(known):.0f} %" if len(known) == len(pcts) else "not measured"
        parts.append(f"a person midway, calm: {pct}")
    lines = [", ".join(parts)]
    lines += [f"  GAP  {one}" for one in sector.gaps]
    lines += [f"  note {one}" for one in sector.remarks]
    return lines
