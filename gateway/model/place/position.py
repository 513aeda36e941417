# SPDX-License-Identifier: MIT
"""Model: the position of a node as a person gives it: metres from the site's origin, or WGS 84.

The command line and the console accept the same positions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gateway.model.place.geodesy import MAX_ERROR_M, Origin, PositionError, to_local

MAX_AWAY_M = 100_000.0


@dataclass(frozen=True, slots=True)
class Position:
    """Metres east and north of the origin. From a receiver also what it showed, in degrees.

    `error_m` is the radius that holds the position in 2 of 3 cases; None: it was measured.
    """

    x_m: float
    y_m: float
    latitude: float | None = None
    longitude: float | None = None
    error_m: float | None = None

    def toml(self) -> list[str]:
        """Its lines of a [[node]], as they were given."""
        lines = [f"x_m = {self.x_m}", f"y_m = {self.y_m}"]
        if self.latitude is not None:
            lines = [f"latitude = {self.latitude}", f"longitude = {self.longitude}"]
        return lines if self.error_m is None else [*lines, f"error_m = {self.error_m}"]

    def __str__(self) -> str:
        """For a person."""
        metres = f"{round(self.x_m, 2):g},{round(self.y_m, 2):g}"
        return metres if self.error_m is None else f"{metres} (within {self.error_m:g} m)"


def of_metres(x_m: float, y_m: float, error_m: float | None = None) -> Position:
    """Raises PositionError."""
    _check_error(error_m)
    if not max(abs(x_m), abs(y_m)) <= MAX_AWAY_M or math.isnan(y_m):
        raise PositionError("a position is within 100 km of the site's origin, in metres")
    return Position(float(x_m), float(y_m), error_m=error_m)


def of_degrees(
    latitude: float, longitude: float, error_m: float, origin: Origin | None
) -> Position:
    """Raises PositionError."""
    _check_error(error_m)
    if origin is None:
        raise PositionError(
            "latitude and longitude need the origin of the site: "
            "groundwatch init --place 48.1374,11.5755"
        )
    x_m, y_m = to_local(origin, latitude, longitude)
    return Position(x_m, y_m, latitude, longitude, error_m)


def _check_error(error_m: float | None) -> None:
    if error_m is not None and not 0 < error_m <= MAX_ERROR_M:
        raise PositionError(f"the error must be more than 0 and at most {MAX_ERROR_M:g} metres")
