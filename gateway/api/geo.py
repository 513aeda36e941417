# SPDX-License-Identifier: MIT
"""API: the picture as GeoJSON features (RFC 7946: longitude first, degrees with 7 decimals)."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.model import view
from gateway.model.site import Site
from gateway.ports.picture import Picture

_KINDS = (view.NODE, view.SECTOR, view.TRACK, view.ALARM, view.CONTACT)


def features(picture: Picture, site: Site) -> list[dict[str, Any]] | None:
    """Everything that has a position; None when the site has no origin."""
    if getattr(site, "origin", None) is None:
        return None
    return [
        _feature(kind, site, value)
        for kind in _KINDS
        for _id, value in picture.all(kind)
        if value.latitude is not None
    ]


def _feature(kind: str, site: Site, value: Any) -> dict[str, Any]:
    properties: dict[str, Any] = msgspec.to_builtins(value)
    for name in ("latitude", "longitude", "polygon"):
        properties.pop(name, None)
    return {
        "type": "Feature",
        "id": f"{kind}/{value.id}",
        "geometry": _geometry(kind, site, value),
        "properties": {"kind_of": kind, **properties},
    }


def _geometry(kind: str, site: Site, value: Any) -> dict[str, Any]:
    if kind == view.SECTOR and len(value.polygon) > 2:
        ring = [_position(view.degrees(site, x_m, y_m)) for x_m, y_m in _left(value.polygon)]
        return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return {"type": "Point", "coordinates": _position((value.latitude, value.longitude))}


def _left(corners: tuple[view.Point, ...]) -> tuple[view.Point, ...]:
    """Counter-clockwise, as an outer ring has to be."""
    following = (*corners[1:], corners[0])
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, following, strict=True))
    return corners if area > 0 else corners[::-1]


def _position(found: tuple[float, float] | None) -> list[float]:
    assert found is not None
    return [round(found[1], 7), round(found[0], 7)]
