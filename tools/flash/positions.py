# SPDX-License-Identifier: MIT
"""The position of a new node on the command line: metres from the site's origin, or WGS 84."""

from __future__ import annotations

import math

from gateway.model.place import position
from gateway.model.place.geodesy import Origin, PositionError
from gateway.model.place.position import Position
from tools.errors import UserError

_GPS_ERROR_M = 5.0  # of a receiver that is not averaged; the default of an origin too
_GPS_FORM = "degrees of latitude and longitude, and metres of error: --at-gps 48.1374,11.5755,3"


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
    if len(numbers) != 2:
        raise UserError(f"--at {text!r} must be metres east and north, as in --at 75,12.5")
    try:
        return position.of_metres(*numbers)
    except PositionError as error:
        raise UserError(f"--at {text!r}: {error}: --at 75,12.5") from None


def of_degrees(text: str, origin: Origin | None) -> Position:
    """From "48.1374,11.5755" or "48.1374,11.5755,3". Raises UserError."""
    numbers = _numbers(text)
    if len(numbers) not in (2, 3):
        raise UserError(f"--at-gps {text!r} must be {_GPS_FORM}")
    latitude, longitude, error_m = (*numbers, _GPS_ERROR_M)[:3]
    try:
        return position.of_degrees(latitude, longitude, error_m, origin)
    except PositionError as error:
        form = ", or give metres: --at 75,12.5" if origin is None else f"; it must be {_GPS_FORM}"
        raise UserError(f"--at-gps {text!r}: {error}{form}") from None


def _numbers(text: str) -> list[float]:
    """Empty for anything but finite numbers."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []
