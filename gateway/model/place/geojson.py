# SPDX-License-Identifier: MIT
"""Model: GeoJSON (RFC 7946): nodes, sectors, tracks and alarms for any map.

Longitude first, 7 decimals (1 cm), outer rings counter-clockwise and cut at the antimeridian.
Every feature states `kind`, `id` and `error_m`: the radius that holds the place in 2 of 3 cases,
the origin's error included; null when it is not known. `time` is when it was so, UTC. The geometry
is null where the place is not known. Names of people stay out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from gateway.model.alarm import Alarm
from gateway.model.event import Event
from gateway.model.place.geodesy import Origin, PositionError
from gateway.model.place.site import Node, Sector, Site

_DECIMALS = 7
_MIN_AREA_M2 = 0.01  # less is a line, drawn by mistake
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Position = tuple[float, float]  # longitude, latitude
Ring = tuple[Position, ...]


class NoOrigin(PositionError):
    """The site has local metres alone: there is nothing to draw on a map of the Earth."""

    def __init__(self) -> None:
        super().__init__("the site has no origin: add latitude and longitude to [site]")


class Point(msgspec.Struct, frozen=True, tag_field="type", tag="Point"):
    """RFC 7946, 3.1.2."""

    coordinates: Position


class MultiPoint(msgspec.Struct, frozen=True, tag_field="type", tag="MultiPoint"):
    """RFC 7946, 3.1.3: the nodes that an alarm without a position is about."""

    coordinates: Ring


class Polygon(msgspec.Struct, frozen=True, tag_field="type", tag="Polygon"):
    """RFC 7946, 3.1.6: one outer ring, whose last position is its first."""

    coordinates: tuple[Ring, ...]


class MultiPolygon(msgspec.Struct, frozen=True, tag_field="type", tag="MultiPolygon"):
    """RFC 7946, 3.1.9: a sector on both sides of the antimeridian."""

    coordinates: tuple[tuple[Ring, ...], ...]


Geometry = Point | MultiPoint | Polygon | MultiPolygon


class Feature(msgspec.Struct, frozen=True, tag_field="type", tag="Feature"):
    """`id` is the kind and the id of the thing: unique in a collection, and stable."""

    id: str
    geometry: Geometry | None
    properties: dict[str, Any]


class FeatureCollection(msgspec.Struct, frozen=True, tag_field="type", tag="FeatureCollection"):
    """What `application/geo+json` holds."""

    features: tuple[Feature, ...]


def site_collection(
    site: Site, events: Iterable[Event] = (), alarms: Iterable[Alarm] = ()
) -> FeatureCollection:
    """The whole site as it is. Raises NoOrigin."""
    _origin(site)
    return FeatureCollection(
        (
            *(sector_feature(site, sector) for sector in site.sectors.values()),
            *(node_feature(site, node) for node in site.nodes.values()),
            *(track_feature(site, event) for event in events),
            *(alarm_feature(site, alarm) for alarm in alarms),
        )
    )


def node_feature(site: Site, node: Node, properties: Mapping[str, Any] | None = None) -> Feature:
    """A node where it stands; the error is the origin's and its own. Raises NoOrigin."""
    own = {"sector": node.sector, "board": node.board, "height_m": node.height_m}
    geometry = _point(site, node.x_m, node.y_m, node.height_m)
    return _feature(
        site, "node", node.id, geometry, node.error_m or 0.0, own | dict(properties or {})
    )


def sector_feature(
    site: Site, sector: Sector, properties: Mapping[str, Any] | None = None
) -> Feature:
    """A sector's area; without geometry when it was not drawn. Raises NoOrigin."""
    geometry = _area(_origin(site), site, sector.polygon)
    return _feature(site, "sector", sector.id, geometry, 0.0, dict(properties or {}))


def track_feature(site: Site, event: Event, properties: Mapping[str, Any] | None = None) -> Feature:
    """An event where its target was by the newest report. Raises NoOrigin."""
    track = event.track
    own = {
        "class": event.target.label,
        "confidence": event.confidence,
        "direction_deg": track.direction_deg if track else None,
        "speed_m_s": track.speed_m_s if track else None,
        "sectors": list(event.sectors),
        "nodes": list(event.nodes),
    }
    return placed_feature(
        site,
        "track",
        event.id,
        (event.x_m, event.y_m),
        event.error_m or None,
        event.last_us,
        own | dict(properties or {}),
    )


def alarm_feature(
    site: Site,
    alarm: Alarm,
    error_m: float | None = None,
    properties: Mapping[str, Any] | None = None,
) -> Feature:
    """An alarm at its position, else at the nodes that it is about. Raises NoOrigin.

    `error_m` is that of its local position; None: not known.
    """
    own = {
        "alarm_kind": alarm.kind.value,
        "priority": alarm.priority,
        "state": alarm.state,
        "class": alarm.target.label if alarm.target else None,
        "confidence": alarm.confidence,
        "direction_deg": alarm.direction_deg,
        "speed_m_s": alarm.speed_m_s,
        "sectors": list(alarm.sectors),
        "nodes": list(alarm.nodes),
        "reasons": list(alarm.reasons),
        "raised": _time(alarm.raised_us),
    } | dict(properties or {})
    if alarm.x_m is not None and alarm.y_m is not None:
        at = (alarm.x_m, alarm.y_m)
        return placed_feature(site, "alarm", str(alarm.id), at, error_m, alarm.changed_us, own)
    own["time"] = _time(alarm.changed_us)
    geometry = _points(site, [site.nodes[name] for name in alarm.nodes if name in site.nodes])
    # Where the nodes are is known; where that is which it is about is not.
    return _feature(site, "alarm", str(alarm.id), geometry, None, own)


def placed_feature(
    site: Site,
    kind: str,
    id: str,  # noqa: A002  # the field's word
    at_m: tuple[float, float],
    error_m: float | None,
    at_us: int,
    properties: Mapping[str, Any],
) -> Feature:
    """Anything at local metres, with their error and UTC microseconds. Raises NoOrigin."""
    own = {**properties, "time": _time(at_us)}
    return _feature(site, kind, id, _point(site, *at_m), error_m, own)


def _feature(
    site: Site,
    kind: str,
    name: str,
    geometry: Geometry | None,
    error_m: float | None,
    properties: dict[str, Any],
) -> Feature:
    origin = _origin(site)
    total_m = None if error_m is None else round(origin.total_error_m(error_m), 2)
    head = {"kind": kind, "id": name, "error_m": total_m}
    return Feature(f"{kind}/{name}", geometry, head | properties)


def _origin(site: Site) -> Origin:
    if site.origin is None:
        raise NoOrigin
    return site.origin


def _time(utc_us: int) -> str:
    at = _EPOCH + timedelta(microseconds=utc_us)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rounded(longitude: float, latitude: float) -> Position:
    return round(longitude, _DECIMALS), round(latitude, _DECIMALS)


def _point(site: Site, x_m: float, y_m: float, height_m: float | None = None) -> Point | None:
    place = site.latlon(x_m, y_m, height_m)
    return None if place is None else Point(_rounded(place[1], place[0]))


def _points(site: Site, nodes: Sequence[Node]) -> Point | MultiPoint | None:
    found = [point for node in nodes if (point := _point(site, node.x_m, node.y_m, node.height_m))]
    if len(found) <= 1:
        return found[0] if found else None
    return MultiPoint(tuple(point.coordinates for point in found))


def _area(
    origin: Origin, site: Site, corners: Sequence[tuple[float, float]]
) -> Polygon | MultiPolygon | None:
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners = corners[:-1]  # closed by hand
    area_m2 = _twice_area(corners) / 2 if corners else 0.0
    if not abs(area_m2) > _MIN_AREA_M2:
        return None
    places = [site.latlon(*corner) for corner in corners]
    ring: list[Position] = []
    for place in places:
        if place is None:
            return None
        # Longitudes near the origin's, so that a sector over the antimeridian is in one piece.
        turn_deg = 360 * round((origin.longitude - place[1]) / 360)
        ring.append((place[1] + turn_deg, place[0]))
    if area_m2 < 0:  # RFC 7946, 3.1.6: the outer ring is counter-clockwise
        ring.reverse()
    # RFC 7946, 3.1.9: cut in two, so that no part crosses the antimeridian.
    parts = (
        [(longitude - shift, latitude) for longitude, latitude in _between(ring, shift)]
        for shift in (0, 360, -360)
    )
    rings = [_closed(part) for part in parts if part and _twice_area(part) > 0]
    if len(rings) == 1:
        return Polygon((rings[0],))
    return MultiPolygon(tuple((ring,) for ring in rings)) if rings else None


def _closed(ring: Sequence[Position]) -> Ring:
    rounded = tuple(_rounded(*position) for position in ring)
    return (*rounded, rounded[0])


def _twice_area(ring: Sequence[tuple[float, float]]) -> float:
    # Gauss's formula from the first corner on: its terms are small, so that nothing cancels.
    x_0, y_0 = ring[0]
    moved = [(x - x_0, y - y_0) for x, y in ring]
    pairs = zip(moved, [*moved[1:], moved[0]], strict=True)
    return sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in pairs)


def _between(ring: list[Position], middle: float) -> list[Position]:
    # What of the ring is within 180 degrees of `middle`.
    return _side(_side(ring, middle - 180, 1), middle + 180, -1)


def _side(ring: list[Position], limit: float, sign: int) -> list[Position]:
    # Sutherland and Hodgman (1974): what of the ring is on one side of a meridian.
    kept: list[Position] = []
    for (x, y), (next_x, next_y) in zip(ring, [*ring[1:], *ring[:1]], strict=True):
        inside, next_inside = (sign * (one - limit) >= 0 for one in (x, next_x))
        if inside:
            kept.append((x, y))
        if inside != next_inside:
            kept.append((limit, y + (next_y - y) * (limit - x) / (next_x - x)))
    return kept
