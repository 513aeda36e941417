# SPDX-License-Identifier: MIT
"""Geodesy: by the worked example of EPSG Guidance Note 7-2, and by pyproj and GeographicLib."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from gateway.model.place.geodesy import (
    MAX_DISTANCE_M,
    Origin,
    PositionError,
    distance_m,
    from_ecef,
    from_enu,
    to_ecef,
    to_enu,
    to_local,
    to_wgs84,
)

# IOGP 373-7-2, geocentric/topocentric and geographic/topocentric conversions, worked example.
EPSG_ORIGIN = Origin(55.0, 5.0, 200.0)
EPSG_ORIGIN_ECEF = (3652755.3058, 319574.6799, 5201547.3536)
EPSG_PLACE = (53 + 48 / 60 + 33.820 / 3600, 2 + 7 / 60 + 46.380 / 3600, 73.0)
EPSG_ECEF = (3771793.968, 140253.342, 5124304.349)
EPSG_ENU = (-189013.869, -128642.040, -4220.171)

TO_ECEF = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
GEOD = Geod(ellps="WGS84")

ORIGINS = [
    Origin(48.2, 11.6, 520.0),
    Origin(0.0, 0.0),
    Origin(-33.9, 18.4, 1100.0),
    Origin(89.9999, 45.0),
    Origin(90.0, 0.0),
    Origin(-90.0, 130.0, 2800.0),
    Origin(66.0, 179.95),
    Origin(-16.8, -179.999, 12.0),
]
metres = st.floats(-14_000, 14_000)  # within 20 km


def test_ecef_of_the_published_example_is_within_a_millimetre() -> None:
    assert to_ecef(*EPSG_PLACE) == pytest.approx(EPSG_ECEF, abs=1e-3)
    assert to_ecef(55.0, 5.0, 200.0) == pytest.approx(EPSG_ORIGIN_ECEF, abs=1e-4)


def test_enu_of_the_published_example_is_within_a_millimetre() -> None:
    assert to_enu(EPSG_ORIGIN, EPSG_ECEF) == pytest.approx(EPSG_ENU, abs=1e-3)
    assert from_enu(EPSG_ORIGIN, EPSG_ENU) == pytest.approx(EPSG_ECEF, abs=1e-3)


def test_geographic_of_the_published_example_is_within_a_millimetre() -> None:
    latitude, longitude, height_m = from_ecef(EPSG_ECEF)
    assert (latitude, longitude) == pytest.approx(EPSG_PLACE[:2], abs=1e-8)
    assert height_m == pytest.approx(73.0, abs=1e-3)


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-1000, 20_000))
def test_ecef_of_any_position_is_that_of_proj(lat: float, lon: float, height_m: float) -> None:
    expected = TO_ECEF.transform(lon, lat, height_m)
    assert to_ecef(lat, lon, height_m) == pytest.approx(expected, abs=1e-6)


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-1000, 20_000))
def test_geographic_of_any_ecef_comes_back_within_a_tenth_of_a_millimetre(
    lat: float, lon: float, height_m: float
) -> None:
    at = to_ecef(lat, lon, height_m)
    back = from_ecef(at)
    assert math.dist(to_ecef(*back), at) < 1e-4
    assert back[2] == pytest.approx(height_m, abs=1e-4)


@pytest.mark.parametrize("origin", ORIGINS, ids=str)
@given(x_m=metres, y_m=metres)
def test_local_metres_within_20_km_come_back_within_a_tenth_of_a_millimetre(
    origin: Origin, x_m: float, y_m: float
) -> None:
    assert to_local(origin, *to_wgs84(origin, x_m, y_m)) == pytest.approx((x_m, y_m), abs=1e-4)


@pytest.mark.parametrize("origin", ORIGINS, ids=str)
@given(x_m=metres, y_m=metres, height_m=st.floats(-400, 9000))
def test_local_metres_at_another_height_come_back_within_a_tenth_of_a_millimetre(
    origin: Origin, x_m: float, y_m: float, height_m: float
) -> None:
    place = to_wgs84(origin, x_m, y_m, height_m)
    assert to_local(origin, *place, height_m) == pytest.approx((x_m, y_m), abs=1e-4)


@pytest.mark.parametrize("origin", ORIGINS, ids=str)
@given(x_m=metres, y_m=metres)
def test_local_metres_of_any_origin_are_those_of_proj(
    origin: Origin, x_m: float, y_m: float
) -> None:
    proj = Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart"
        f" +ellps=WGS84 +step +proj=topocentric +ellps=WGS84 +lat_0={origin.latitude!r}"
        f" +lon_0={origin.longitude!r} +h_0={origin.height_m!r}"
    )
    latitude, longitude = to_wgs84(origin, x_m, y_m)
    east_m, north_m, _up_m = proj.transform(longitude, latitude, origin.height_m)
    assert (x_m, y_m) == pytest.approx((east_m, north_m), abs=1e-3)


@pytest.mark.parametrize(("x_m", "y_m"), [(1.0, 0.0), (0.0, 1.0), (-250.0, 75.5)])
def test_local_metres_point_the_way_a_geodesic_does(x_m: float, y_m: float) -> None:
    origin = Origin(48.2, 11.6)
    latitude, longitude = to_wgs84(origin, x_m, y_m)
    bearing_deg, _, length_m = GEOD.inv(origin.longitude, origin.latitude, longitude, latitude)
    assert length_m == pytest.approx(math.hypot(x_m, y_m), abs=1e-4)
    assert bearing_deg == pytest.approx(math.degrees(math.atan2(x_m, y_m)), abs=1e-4)


def test_longitude_east_of_the_antimeridian_is_negative() -> None:
    _latitude, longitude = to_wgs84(Origin(66.0, 179.9999), 1000.0, 0.0)
    assert -180 <= longitude < -179.97


def test_local_metres_across_the_antimeridian_are_near() -> None:
    x_m, _y_m = to_local(Origin(0.0, 179.999), 0.0, -179.999)
    assert x_m == pytest.approx(222.639, abs=1e-3)  # 0.002 degrees of the equator


@given(st.floats(-80, 80), st.floats(-180, 180), metres, metres)
def test_distance_of_near_positions_is_that_of_geographiclib(
    lat: float, lon: float, x_m: float, y_m: float
) -> None:
    there = to_wgs84(Origin(lat, lon), 10 * x_m, 10 * y_m) if math.hypot(x_m, y_m) < 15e3 else None
    if there is not None:
        expected_m = GEOD.inv(lon, lat, there[1], there[0])[2]
        assert distance_m(lat, lon, *there) == pytest.approx(expected_m, abs=0.05)


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(math.nan, 0.0), (0.0, math.nan), (90.001, 0.0), (-91.0, 0.0), (0.0, 180.5), (0.0, math.inf)],
)
def test_position_that_is_not_on_earth_is_an_error(lat: float, lon: float) -> None:
    with pytest.raises(PositionError):
        Origin(lat, lon)
    with pytest.raises(PositionError):
        to_local(Origin(0.0, 0.0), lat, lon)
    with pytest.raises(PositionError):
        distance_m(0.0, 0.0, lat, lon)


@pytest.mark.parametrize(
    ("height_m", "error_m"),
    [(math.nan, 5.0), (11_000.0, 5.0), (-2000.0, 5.0), (0.0, 0.0), (0.0, -1.0), (0.0, math.nan)],
)
def test_origin_with_an_impossible_height_or_error_is_an_error(
    height_m: float, error_m: float
) -> None:
    with pytest.raises(PositionError):
        Origin(48.2, 11.6, height_m, error_m)


def test_position_at_the_antipodes_is_an_error_and_not_the_origin() -> None:
    origin = Origin(48.2, 11.6)
    east_m, north_m, _up_m = to_enu(origin, to_ecef(-48.2, 11.6 - 180, 0.0))
    assert math.hypot(east_m, north_m) < 100_000  # the plane alone would take it for near
    with pytest.raises(PositionError, match="150 km"):
        to_local(origin, -48.2, 11.6 - 180)


@pytest.mark.parametrize("height_m", [math.nan, math.inf, -math.inf, 1e300, 200_000.0])
def test_position_at_an_absurd_height_is_an_error(height_m: float) -> None:
    with pytest.raises(PositionError):
        to_local(Origin(48.2, 11.6), 48.2, 11.6, height_m)


@pytest.mark.parametrize("x_m", [math.nan, math.inf, -math.inf, 2 * MAX_DISTANCE_M])
def test_local_metres_far_from_the_site_are_an_error(x_m: float) -> None:
    with pytest.raises(PositionError):
        to_wgs84(Origin(48.2, 11.6), x_m, 0.0)


def test_error_of_a_position_includes_that_of_the_origin() -> None:
    assert Origin(48.2, 11.6, error_m=3.0).total_error_m(4.0) == 5.0
