# SPDX-License-Identifier: MIT
"""Model: geodesy: WGS 84 latitude and longitude beside the site's local metres.

Local metres are the east and north of a topocentric system: the plane that touches the ellipsoid
at the site's origin. Formulas: IOGP Publication 373-7-2 (EPSG Guidance Note 7-2), methods 9602
(geographic/geocentric) and 9837 (geographic/topocentric). The latitude of a geocentric position is
Bowring's closed formula (Survey Review 23, 1976), the height the one that holds at the poles too.
Why not pyproj at run time: docs/adr/0026. Angles are degrees, heights are above the ellipsoid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from gateway.errors import GroundwatchError

# EPSG 7030, WGS 84: semi-major axis and flattening.
_A_M = 6_378_137.0
_F = 1 / 298.257223563
_B_M = _A_M * (1 - _F)
_E2 = _F * (2 - _F)  # first eccentricity, squared
_SECOND_E2 = _E2 / (1 - _E2)
_MEAN_RADIUS_M = 6_371_008.8  # (2a + b) / 3

# Farther away the plane is no map any more: it stands 1,800 m over the ground. It also maps the
# antipodes on the origin, so that a swapped or a forged position must not get this far.
MAX_DISTANCE_M = 150_000.0
MIN_HEIGHT_M, MAX_HEIGHT_M = -1_000.0, 10_000.0  # of an origin: the Dead Sea, Mount Everest
MAX_ERROR_M = 10_000.0
_HEIGHT_STEPS = 5  # four reach a micrometre at MAX_DISTANCE_M
_HEIGHT_TOLERANCE_M = 1e-6

Cartesian = tuple[float, float, float]


class PositionError(GroundwatchError, ValueError):
    """A position that is not on Earth, or not near the site."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where local (0, 0) is. `error_m` is the radius that holds it in 2 of 3 cases.

    That is what a GNSS receiver shows as its accuracy. The error is common to everything at the
    site: it moves the whole site and not one node. Raises PositionError.
    """

    latitude: float
    longitude: float
    height_m: float = 0.0
    error_m: float = 5.0

    def __post_init__(self) -> None:
        check_position(self.latitude, self.longitude)
        if not MIN_HEIGHT_M <= self.height_m <= MAX_HEIGHT_M:
            raise PositionError(f"height_m must be {MIN_HEIGHT_M:g} to {MAX_HEIGHT_M:g}")
        if not 0 < self.error_m <= MAX_ERROR_M:
            raise PositionError(f"error_m must be more than 0 and at most {MAX_ERROR_M:g}")

    def total_error_m(self, error_m: float) -> float:
        """Of a WGS 84 position, when `error_m` is the error of its local metres; both are radii."""
        return math.hypot(error_m, self.error_m)


def check_position(latitude: float, longitude: float) -> None:
    """Raises PositionError. Neither comparison holds for nan."""
    if not -90 <= latitude <= 90:
        raise PositionError("latitude must be -90 to 90 degrees")
    if not -180 <= longitude <= 180:
        raise PositionError("longitude must be -180 to 180 degrees")


def to_local(
    origin: Origin, latitude: float, longitude: float, height_m: float | None = None
) -> tuple[float, float]:
    """Metres east and north of the origin; without a height, at the origin's.

    Raises PositionError: no such position, or farther than MAX_DISTANCE_M.
    """
    check_position(latitude, longitude)
    height = origin.height_m if height_m is None else height_m
    at = to_ecef(latitude, longitude, height)
    away_m = math.dist(at, _frame(origin).at)
    if not away_m <= MAX_DISTANCE_M:
        raise PositionError(f"{latitude:.4f}, {longitude:.4f} is not within 150 km of the site")
    east_m, north_m, _up_m = to_enu(origin, at)
    return east_m, north_m


def to_wgs84(
    origin: Origin, x_m: float, y_m: float, height_m: float | None = None
) -> tuple[float, float]:
    """Latitude and longitude of local metres; inverse of `to_local` at the same height.

    Raises PositionError: farther than MAX_DISTANCE_M, or no number.
    """
    if not math.hypot(x_m, y_m) <= MAX_DISTANCE_M:
        raise PositionError(f"x_m = {x_m:g}, y_m = {y_m:g} is not within 150 km of the origin")
    wanted_m = origin.height_m if height_m is None else height_m
    if not abs(wanted_m) <= MAX_DISTANCE_M:
        raise PositionError(f"height_m = {wanted_m:g} is not within 150 km of the origin")
    # The height is known and the way up from the plane is not: ground falls away from the plane.
    up_m = wanted_m - origin.height_m
    latitude = longitude = 0.0
    for _ in range(_HEIGHT_STEPS):
        latitude, longitude, height = from_ecef(from_enu(origin, (x_m, y_m, up_m)))
        if abs(height - wanted_m) <= _HEIGHT_TOLERANCE_M:
            break
        up_m -= height - wanted_m
    return latitude, longitude


def distance_m(
    latitude: float, longitude: float, other_latitude: float, other_longitude: float
) -> float:
    """Along the ground between two positions; within 5 cm up to 150 km. Raises PositionError.

    It is the arc over the straight line on a sphere: farther apart it is an estimate only.
    """
    check_position(latitude, longitude)
    check_position(other_latitude, other_longitude)
    line_m = math.dist(
        to_ecef(latitude, longitude, 0.0), to_ecef(other_latitude, other_longitude, 0.0)
    )
    diameter_m = 2 * _MEAN_RADIUS_M
    return diameter_m * math.asin(min(1.0, line_m / diameter_m))


def to_ecef(latitude: float, longitude: float, height_m: float) -> Cartesian:
    """Geocentric metres (EPSG method 9602, forward)."""
    lat, lon = math.radians(latitude), math.radians(longitude)
    normal_m = _A_M / math.sqrt(1 - _E2 * math.sin(lat) ** 2)
    across_m = (normal_m + height_m) * math.cos(lat)
    z_m = ((1 - _E2) * normal_m + height_m) * math.sin(lat)
    return across_m * math.cos(lon), across_m * math.sin(lon), z_m


def from_ecef(at: Cartesian) -> Cartesian:
    """Latitude, longitude and height of geocentric metres (EPSG method 9602, reverse)."""
    x_m, y_m, z_m = at
    across_m = math.hypot(x_m, y_m)
    reduced = math.atan2(z_m * _A_M, across_m * _B_M)
    lat = math.atan2(
        z_m + _SECOND_E2 * _B_M * math.sin(reduced) ** 3,
        across_m - _E2 * _A_M * math.cos(reduced) ** 3,
    )
    # p / cos(lat) - nu, as the guidance note has it, does not exist at the poles.
    height_m = (
        across_m * math.cos(lat)
        + z_m * math.sin(lat)
        - _A_M * math.sqrt(1 - _E2 * math.sin(lat) ** 2)
    )
    return math.degrees(lat), math.degrees(math.atan2(y_m, x_m)), height_m


def to_enu(origin: Origin, at: Cartesian) -> Cartesian:
    """East, north and up of geocentric metres (EPSG method 9837, forward)."""
    frame = _frame(origin)
    dx_m, dy_m, dz_m = (one - zero for one, zero in zip(at, frame.at, strict=True))
    outward_m = dx_m * frame.cos_lon + dy_m * frame.sin_lon
    return (
        -dx_m * frame.sin_lon + dy_m * frame.cos_lon,
        -outward_m * frame.sin_lat + dz_m * frame.cos_lat,
        outward_m * frame.cos_lat + dz_m * frame.sin_lat,
    )


def from_enu(origin: Origin, enu: Cartesian) -> Cartesian:
    """Geocentric metres of east, north and up (EPSG method 9837, reverse)."""
    frame = _frame(origin)
    east_m, north_m, up_m = enu
    outward_m = up_m * frame.cos_lat - north_m * frame.sin_lat
    return (
        frame.at[0] - east_m * frame.sin_lon + outward_m * frame.cos_lon,
        frame.at[1] + east_m * frame.cos_lon + outward_m * frame.sin_lon,
        frame.at[2] + north_m * frame.cos_lat + up_m * frame.sin_lat,
    )


class _Frame(NamedTuple):
    # The origin in geocentric metres, and the sines and cosines that turn the axes.
    at: Cartesian
    sin_lat: float
    cos_lat: float
    sin_lon: float
    cos_lon: float


@lru_cache(maxsize=16)
def _frame(origin: Origin) -> _Frame:
    lat, lon = math.radians(origin.latitude), math.radians(origin.longitude)
    at = to_ecef(origin.latitude, origin.longitude, origin.height_m)
    return _Frame(at, math.sin(lat), math.cos(lat), math.sin(lon), math.cos(lon))
