# SPDX-License-Identifier: MIT
"""Commands: the arithmetic of `groundwatch site plan`: spacing, detection radius and gaps.

The radius is where the ground of the site weakens the level of an average walker to what a node
detects over its noise floor. Levels are in um/s of peak velocity, as in gateway.model.place.site.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.model.place.site import NEIGHBOUR_M, Ground, Node, Point, Sector, Site

CALM_FLOOR_UM_S = 0.08  # rms of a calm site by night, 8 to 60 Hz
_OVER_FLOOR = 7.0  # a node starts to detect peaks that are so far over its floor
_STEP_M = 0.5
_MAX_RADIUS_M = 500.0
_SAMPLES = 60  # of a polygon, along its longer side
_ALL_PCT = 99.0  # of a polygon: less is a gap
_EXACT_M = 2.0  # positions that are known worse than this make tracks less exact
# Upper bounds of the distance bands, and calm passes of a person that one node detected in them, in
# per cent (docs/scores.md).
DETECTED_PCT = ((10.0, 95.3), (20.0, 88.0), (30.0, 80.4), (50.0, 54.6))


@dataclass(frozen=True)
class Link:
    """Two nodes that are next to each other. A walker between them is at most half of `apart_m`
    from one of them, and `gap_m` of the way is beyond the radius of both."""

    nodes: tuple[str, str]
    sectors: tuple[str, str]
    apart_m: float
    gap_m: float
    detected_pct: float | None  # of persons who cross at half the way; None: beyond the figures


@dataclass(frozen=True)
class SectorPlan:
    """One sector. `covered_pct` of its polygon is within the radius of a node, also of another
    sector; None without a polygon. `farthest_m` is from its farthest point to the
    nearest node."""

    sector: str
    nodes: tuple[str, ...]
    spacing_m: tuple[float, float, float] | None  # least, median, greatest; None: one node
    radius_m: tuple[float, float] | None  # least and greatest; None: no node
    covered_pct: float | None
    farthest_m: float | None
    links: tuple[Link, ...]
    remarks: tuple[str, ...]
    gaps: tuple[str, ...]


@dataclass(frozen=True)
class SitePlan:
    """All sectors, and the links from one sector to another."""

    site: str
    floor_um_s: float
    sectors: tuple[SectorPlan, ...]
    between: tuple[Link, ...]


def plan(site: Site, floor_um_s: float) -> SitePlan:
    """What the placing of the nodes gives."""
    radii = {name: radius_m(site.ground, one, floor_um_s) for name, one in site.nodes.items()}
    sectors = tuple(_sector(site, one, radii) for one in site.sectors.values())
    links = _links(list(site.nodes.values()), radii)
    between = tuple(one for one in links if one.sectors[0] != one.sectors[1])
    return SitePlan(site.name, floor_um_s, sectors, between)


def radius_m(ground: Ground, node: Node, floor_um_s: float) -> float:
    """The distance up to which a node detects an average walker over this noise floor."""
    wanted_db = 20 * math.log10(_OVER_FLOOR * floor_um_s)
    reach_m = 0.0
    while reach_m < _MAX_RADIUS_M and _level_db(ground, node, reach_m + _STEP_M) >= wanted_db:
        reach_m += _STEP_M
    return reach_m


def detected_pct(away_m: float) -> float | None:
    """Calm passes of a person at that distance that one node detects."""
    return next((pct for upto_m, pct in DETECTED_PCT if away_m <= upto_m), None)


def _level_db(ground: Ground, node: Node, away_m: float) -> float:
    away_m = max(away_m, 1.0)
    spreading_db = 20 * ground.exponent * math.log10(away_m)
    absorbed_db = 20 * ground.absorption_per_m * away_m * math.log10(math.e)
    return ground.walker_db + node.gain_db - spreading_db - absorbed_db


def _sector(site: Site, sector: Sector, radii: dict[str, float]) -> SectorPlan:
    nodes = [site.nodes[name] for name in site.sector_nodes(sector.id)]
    links = _links(nodes, radii)
    apart = sorted(one.apart_m for one in links)
    own = [radii[one.id] for one in nodes]
    covered_pct, farthest_m = _coverage(sector.polygon, list(site.nodes.values()), radii)
    gaps = [
        f"{one.nodes[0]} to {one.nodes[1]}: {one.apart_m:.0f} m apart, {one.gap_m:.0f} m of it "
        "beyond both"
        for one in links
        if one.gap_m > 0
    ]
    if not nodes:
        gaps.append("no node")
    if covered_pct is not None and covered_pct < _ALL_PCT and farthest_m is not None:
        gaps.append(
            f"{100 - covered_pct:.0f} % of its area is beyond every node, up to {farthest_m:.0f} m"
        )
    return SectorPlan(
        sector=sector.id,
        nodes=tuple(one.id for one in nodes),
        spacing_m=(apart[0], apart[len(apart) // 2], apart[-1]) if apart else None,
        radius_m=(min(own), max(own)) if own else None,
        covered_pct=covered_pct,
        farthest_m=farthest_m,
        links=links,
        remarks=tuple(_remarks(nodes, links, radii)),
        gaps=tuple(gaps),
    )


def _remarks(nodes: Sequence[Node], links: Sequence[Link], radii: dict[str, float]) -> list[str]:
    """What is no gap, and weakens detection or location."""
    found = []
    vague = [one.id for one in nodes if (one.error_m or 0.0) > _EXACT_M]
    if vague:
        found.append(f"positions of {', '.join(vague)} are known within more than {_EXACT_M:g} m")
    if len(nodes) == 1:
        found.append("one node detects presence only: three in a line give direction and speed")
    alone = [
        one
        for one in links
        if one.gap_m <= 0 and one.apart_m > min(radii[name] for name in one.nodes)
    ]
    if alone:
        pairs = ", ".join(f"{one.nodes[0]}-{one.nodes[1]}" for one in alone)
        found.append(f"a walker between {pairs} may be detected by one node only")
    found += [
        f"{one.nodes[0]} and {one.nodes[1]} are beyond {NEIGHBOUR_M:g} m: they confirm no event "
        "of each other"
        for one in links
        if one.apart_m > NEIGHBOUR_M
    ]
    return found


def _links(nodes: Sequence[Node], radii: dict[str, float]) -> tuple[Link, ...]:
    """The shortest way that connects all of these nodes (Prim's algorithm)."""
    if not nodes:
        return ()
    inside, outside = [nodes[0]], list(nodes[1:])
    links = []
    while outside:
        apart_m, _, _, one, other = min(
            (math.dist((a.x_m, a.y_m), (b.x_m, b.y_m)), a.id, b.id, a, b)
            for a in inside
            for b in outside
        )
        outside.remove(other)
        inside.append(other)
        gap_m = max(0.0, apart_m - radii[one.id] - radii[other.id])
        names, sectors = (one.id, other.id), (one.sector, other.sector)
        links.append(Link(names, sectors, apart_m, gap_m, detected_pct(apart_m / 2)))
    return tuple(links)


def _coverage(
    polygon: Sequence[Point], nodes: Sequence[Node], radii: dict[str, float]
) -> tuple[float | None, float | None]:
    """Covered part in per cent, and the distance of the farthest point from a node."""
    points = list(_points_in(polygon))
    if not points or not nodes:
        return None, None
    covered, farthest_m = 0, 0.0
    for x_m, y_m in points:
        away = [(math.dist((x_m, y_m), (one.x_m, one.y_m)), one.id) for one in nodes]
        covered += any(away_m <= radii[name] for away_m, name in away)
        farthest_m = max(farthest_m, min(away)[0])
    return 100 * covered / len(points), farthest_m


def _points_in(polygon: Sequence[Point]) -> Iterable[Point]:
    """A grid of points inside of a polygon, and its corners."""
    if len(polygon) < 3:
        return
    xs, ys = [x for x, _y in polygon], [y for _x, y in polygon]
    step_m = max(max(xs) - min(xs), max(ys) - min(ys), 1e-6) / _SAMPLES
    yield from polygon
    y_m = min(ys) + step_m / 2
    while y_m < max(ys):
        x_m = min(xs) + step_m / 2
        while x_m < max(xs):
            if _is_inside(polygon, x_m, y_m):
                yield x_m, y_m
            x_m += step_m
        y_m += step_m


def _is_inside(polygon: Sequence[Point], x_m: float, y_m: float) -> bool:
    """Even-odd rule."""
    inside = False
    for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (y1 > y_m) != (y2 > y_m) and x_m < x1 + (y_m - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside
