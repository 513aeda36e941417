# SPDX-License-Identifier: MIT
"""API: the picture as GeoJSON: what gateway.model.place.geojson makes of nodes, sectors and alarms,
and tracks and authorised persons from their views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.model import view
from gateway.model.place import geojson
from gateway.model.place.geojson import Feature
from gateway.model.place.site import Site
from gateway.ports.picture import Picture


def features(picture: Picture, site: Site) -> list[dict[str, Any]]:
    """Everything that has a place, as plain values. Raises NoOrigin."""
    if site.origin is None:
        raise geojson.NoOrigin
    found: list[dict[str, Any]] = msgspec.to_builtins([*_all(picture, site)])
    return found


def _all(picture: Picture, site: Site) -> Iterator[Feature]:
    for name, sector in picture.all(view.SECTOR):
        if name in site.sectors:
            yield geojson.sector_feature(site, site.sectors[name], {"armed": sector.armed})
    for name, node in picture.all(view.NODE):
        if name in site.nodes:
            known = {"state": node.state, "conditions": list(node.conditions)}
            yield geojson.node_feature(site, site.nodes[name], known)
    for _name, track in picture.all(view.TRACK):
        yield _track(site, track)
    for _name, alarm in picture.all(view.ALARM):
        if alarm.open:
            yield geojson.alarm_feature(site, alarm, alarm.error_m)
    for _name, contact in picture.all(view.CONTACT):
        yield _contact(site, contact)


def _track(site: Site, track: view.TrackView) -> Feature:
    own = {
        "class": track.target.label,
        "confidence": track.confidence,
        "direction_deg": track.direction_deg,
        "speed_m_s": track.speed_m_s,
        "sectors": list(track.sectors),
        "nodes": list(track.nodes),
    }
    at_m, error_m = (track.x_m, track.y_m), track.error_m or None
    return geojson.placed_feature(site, "track", track.id, at_m, error_m, track.at_us, own)


def _contact(site: Site, contact: view.ContactView) -> Feature:
    at_m, error_m = (contact.x_m, contact.y_m), contact.error_m
    return geojson.placed_feature(site, "contact", contact.id, at_m, error_m, contact.at_us, {})
