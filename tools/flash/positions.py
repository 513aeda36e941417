# SPDX-License-Identifier: MIT
"""The position of a new node on the command line: metres from the site's origin, or WGS 84."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gateway.model.place.geodesy import MAX_ERROR_M, Origin, PositionError, to_local
from tools.errors import UserError

_FAR_M = 100_000
_GPS_ERROR_M = 5.0  # of a receiver that is not averaged; the default of an origin too
_GPS_FORM = "degrees of latitude and longitude, and metres of error: --at-gps 48.1374,11.5755,3"


@dataclass(frozen=True)
class Position:
    """Metres east and north of the origin. From a receiver also what it showed, in degrees, and
    the radius that holds the position in 2 of 3 cases."""

    x_m: float
    y_m: float
    latitude: float | None = None
    longitude: float | None = None
    error_m: float | None = None

    def toml(self) -> list[str]:
        """Its lines of a [[node]], as they were given."""
        if self.latitude is None:
            return [f"x_m = {self.x_m}", f"y_m = {self.y_m}"]
        degrees = [f"latitude = {self.latitude}", f"longitude = {self.longitude}"]
        return [*degrees, f"error_m = {self.error_m}"]

    def __str__(self) -> str:
        """For a person."""
        metres = f"{round(self.x_m, 2):g},{round(self.y_m, 2):g}"
        return metres if self.error_m is None else f"{metres} (within {self.error_m:g} m)"


def position_of(at: str | None, at_gps: str | None, origin: Origin | None) -> Position | None:
    """None where neither is given. Raises UserError."""
    if at is not None and at_gps is not None:
        raise UserError("--at and --at-gps are two positions: give one of them")
    if at_gps is not None:
        return of_degrees(at_gps, origin)
    return None if at is None else of_metres(at)


def of_metres(text: str) -> Position:
    """From "75,12.5". Raises UserError."""
    numbers = _numbers(text)
    if len(numbers) != 2 or not all(abs(number) <= 1e7 for number in numbers):
        raise UserError(f"--at {text!r} must be metres east and north, as in --at 75,12.5")
    position = Position(*numbers)
    if max(abs(position.x_m), abs(position.y_m)) > _FAR_M:
        raise UserError("--at must be within 100 km of the site's origin, in metres: --at 75,12.5")
    return position


def of_degrees(text: str, origin: Origin | None) -> Position:
    """From "48.1374,11.5755" or "48.1374,11.5755,3". Raises UserError."""
    numbers = _numbers(text)
    if len(numbers) not in (2, 3):
        raise UserError(f"--at-gps {text!r} must be {_GPS_FORM}")
    latitude, longitude, error_m = (*numbers, _GPS_ERROR_M)[:3]
    if not 0 < error_m <= MAX_ERROR_M:
        raise UserError(f"--at-gps {text!r}: the error must be at most {MAX_ERROR_M:g} metres")
    if origin is None:
        raise UserError(
            "--at-gps needs the origin of the site: groundwatch init --place 48.1374,11.5755, "
            "or give metres: --at 75,12.5"
        )
    try:
        x_m, y_m = to_local(origin, latitude, longitude)
    except PositionError as error:
        raise UserError(f"--at-gps {text!r}: {error}; it must be {_GPS_FORM}") from None
    return Position(x_m, y_m, latitude, longitude, error_m)


def _numbers(text: str) -> list[float]:
    """Empty for anything but finite numbers."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []
