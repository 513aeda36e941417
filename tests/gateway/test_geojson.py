# SPDX-License-Identifier: MIT
"""GeoJSON: read back by `geojson` and `shapely`, which we did not write."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import geojson
import msgspec
import pytest
import shapely
import shapely.geometry
from msgspec import structs

from gateway.model.alarm import Alarm, AlarmKind
from gateway.model.event import Event, Track
from gateway.model.place.geodesy import Origin
from gateway.model.place.geojson import (
    NoOrigin,
    alarm_feature,
    node_feature,
    placed_feature,
    sector_feature,
    site_collection,
    track_feature,
)
from gateway.model.place.site import Node, Sector, Site
from gateway.model.target import TargetClass

ORIGIN = Origin(48.2, 11.6, 520.0, 3.0)
CLOCKWISE = ((0.0, 0.0), (0.0, 40.0), (50.0, 40.0), (50.0, 0.0))
SECTORS = (
    Sector("gate", CLOCKWISE),
    Sector("yard", tuple(reversed(CLOCKWISE))),
    Sector("undrawn"),
)
NODES = (Node("n01", 100.0, 50.0, "gate", "pico_w", height_m=512.0), Node("n02", 0.0, 0.0, "yard"))
EVENT = Event(
    id="e7",
    activities=(),
    sectors=("gate",),
    target=TargetClass.PERSON,
    confidence=0.93,
    first_us=1_764_000_000_000_000,
    last_us=1_764_000_012_345_000,
    touched_us=1_764_000_013_000_000,
    x_m=12.0,
    y_m=3.0,
    track=Track(90.0, 1.4),
    confirmed=True,
    closed=False,
    reasons=(),
    error_m=4.0,
)
ALARM = Alarm(
    id=12,
    kind=AlarmKind.INTRUSION,
    key="e7",
    priority=1,
    raised_us=1_764_000_014_000_000,
    changed_us=1_764_000_015_000_000,
    active=True,
    acknowledged=True,
    nodes=("n01", "n02"),
    sectors=("gate",),
    reasons=("2 nodes detected within 20 s",),
    target=TargetClass.PERSON,
    confidence=0.93,
    x_m=12.0,
    y_m=3.0,
    acknowledged_by="Eva M.",
)


def placed(origin: Origin | None = ORIGIN, sectors: tuple[Sector, ...] = SECTORS) -> Site:
    return Site(
        "yard",
        {node.id: node for node in NODES},
        {sector.id: sector for sector in sectors},
        origin=origin,
    )


def plain(value: msgspec.Struct) -> Any:
    return json.loads(msgspec.json.encode(value))


def area(origin: Origin, corners: tuple[tuple[float, float], ...]) -> dict[str, Any]:
    feature = sector_feature(placed(origin), Sector("s", corners))
    geometry = plain(feature)["geometry"]
    assert isinstance(geometry, dict)
    return geometry


def test_collection_of_a_site_is_valid_to_an_independent_reader() -> None:
    text = msgspec.json.encode(site_collection(placed(), [EVENT], [ALARM])).decode()
    read = geojson.loads(text)
    assert isinstance(read, geojson.FeatureCollection)
    assert read.is_valid, read.errors()
    ids = [feature["id"] for feature in read["features"]]
    assert ids == [
        *("sector/gate", "sector/yard", "sector/undrawn", "node/n01", "node/n02"),
        *("track/e7", "alarm/12"),
    ]
    for feature in read["features"]:
        assert {"kind", "id", "error_m"} <= feature["properties"].keys()


@pytest.mark.parametrize("sector", SECTORS[:2], ids=lambda sector: str(sector.id))
def test_polygon_drawn_either_way_is_counter_clockwise_and_closed(sector: Sector) -> None:
    polygon = shapely.geometry.shape(area(ORIGIN, sector.polygon))
    assert polygon.is_valid
    assert polygon.exterior.is_ccw
    assert polygon.exterior.coords[0] == polygon.exterior.coords[-1]


def test_polygon_closed_by_hand_has_no_doubled_corner() -> None:
    assert area(ORIGIN, (*CLOCKWISE, CLOCKWISE[0])) == area(ORIGIN, CLOCKWISE)


def test_polygon_of_a_sector_contains_the_points_inside_it() -> None:
    polygon = shapely.geometry.shape(area(ORIGIN, CLOCKWISE))
    inside = shapely.geometry.shape(
        plain(node_feature(placed(), Node("n", 25.0, 20.0, "s")))["geometry"]
    )
    outside = shapely.geometry.shape(
        plain(node_feature(placed(), Node("n", 51.0, 20.0, "s")))["geometry"]
    )
    assert polygon.contains(inside)
    assert not polygon.contains(outside)


@pytest.mark.parametrize("corners", [(), CLOCKWISE[:2], ((0.0, 0.0), (1.0, 1.0), (2.0, 2.0))])
def test_sector_without_an_area_has_no_geometry(corners: tuple[tuple[float, float], ...]) -> None:
    feature = sector_feature(placed(), Sector("s", corners))
    assert feature.geometry is None


@pytest.mark.parametrize("longitude", [179.9999, -179.9999, 180.0, -180.0])
def test_polygon_across_the_antimeridian_is_cut_in_two(longitude: float) -> None:
    square = ((-30.0, -30.0), (30.0, -30.0), (30.0, 30.0), (-30.0, 30.0))
    cut = shapely.geometry.shape(area(Origin(66.0, longitude), square))
    whole = shapely.geometry.shape(area(Origin(66.0, 10.0), square))
    assert cut.geom_type == "MultiPolygon"
    assert len(cut.geoms) == 2
    assert cut.is_valid
    assert all(part.exterior.is_ccw for part in cut.geoms)
    # Rounded to 1 cm, of squares of 60 m.
    assert cut.area == pytest.approx(whole.area, rel=1e-3)
    west, _, east, _ = cut.bounds
    assert (west, east) == (-180.0, 180.0)


def test_polygon_that_touches_the_antimeridian_stays_one() -> None:
    to_the_west = ((-50.0, 0.0), (0.0, 0.0), (0.0, 40.0), (-50.0, 40.0))
    assert area(Origin(0.0, 180.0), to_the_west)["type"] == "Polygon"


def test_node_stands_by_longitude_first_and_seven_decimals() -> None:
    coordinates = plain(node_feature(placed(), NODES[0]))["geometry"]["coordinates"]
    # pyproj 3.7.2, topocentric, 100 m east and 50 m north of the origin at 512 m.
    assert coordinates == pytest.approx([11.6013451, 48.2004496], abs=2e-7)
    assert coordinates == [round(value, 7) for value in coordinates]


def test_track_states_its_error_with_the_origins_and_its_time() -> None:
    properties = track_feature(placed(), EVENT).properties
    assert properties["error_m"] == 5.0
    assert properties["time"] == "2025-11-24T16:00:12.345Z"
    assert (properties["class"], properties["direction_deg"]) == ("person", 90.0)


def test_track_of_unknown_error_states_none_and_not_zero() -> None:
    assert track_feature(placed(), replace(EVENT, error_m=0.0)).properties["error_m"] is None


def test_track_without_a_possible_place_has_no_geometry() -> None:
    text = msgspec.json.encode(track_feature(placed(), replace(EVENT, x_m=math.nan)))
    assert json.loads(text)["geometry"] is None


def test_alarm_without_a_position_is_where_its_nodes_are() -> None:
    alarm = structs.replace(ALARM, kind=AlarmKind.JAMMING, x_m=None, y_m=None)
    several = alarm_feature(placed(), alarm)
    assert plain(several)["geometry"]["type"] == "MultiPoint"
    assert several.properties["error_m"] is None
    one = alarm_feature(placed(), structs.replace(alarm, nodes=("n02",)))
    assert plain(one)["geometry"] == {"type": "Point", "coordinates": [11.6, 48.2]}
    none = alarm_feature(placed(), structs.replace(alarm, nodes=("gone",)))
    assert none.geometry is None


def test_alarm_for_others_names_no_person() -> None:
    assert b"Eva" not in msgspec.json.encode(site_collection(placed(), [], [ALARM]))


def test_site_without_an_origin_raises_no_origin() -> None:
    site = placed(origin=None)
    for made in (
        lambda: site_collection(site),
        lambda: node_feature(site, NODES[0]),
        lambda: sector_feature(site, SECTORS[0]),
        lambda: track_feature(site, EVENT),
        lambda: alarm_feature(site, structs.replace(ALARM, x_m=None)),
        lambda: placed_feature(site, "contact", "P1", (0.0, 0.0), None, 0, {}),
    ):
        with pytest.raises(NoOrigin, match="latitude"):
            made()


def test_placed_feature_of_any_kind_carries_its_own_properties() -> None:
    feature = placed_feature(placed(), "contact", "P1", (0.0, 0.0), 4.0, 0, {"call_sign": "Bravo"})
    assert feature.id == "contact/P1"
    assert feature.properties == {
        "kind": "contact",
        "id": "P1",
        "error_m": 5.0,
        "call_sign": "Bravo",
        "time": "1970-01-01T00:00:00.000Z",
    }
