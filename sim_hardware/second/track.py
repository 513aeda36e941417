# SPDX-License-Identifier: MIT
"""Ground layer: where a source is at which time, in local metres and seconds."""

from dataclasses import dataclass
from math import atan2, degrees, hypot, nan

import numpy as np
from numpy.typing import NDArray

from sim_hardware.errors import SimError

Array = NDArray[np.float64]
Point = tuple[float, float]
_STEP_S = 0.05


@dataclass(frozen=True)
class Track:
    """Corners (t_s, x_m, y_m) with rising times; straight and steady between them."""

    corners: tuple[tuple[float, float, float], ...]

    def __post_init__(self) -> None:
        """Raise SimError unless the times rise."""
        times = [corner[0] for corner in self.corners]
        if len(times) < 2 or any(b <= a for a, b in zip(times, times[1:], strict=False)):
            raise SimError("a track needs two or more corners with rising times")

    @property
    def start_s(self) -> float:
        """Time of the first corner."""
        return self.corners[0][0]

    @property
    def end_s(self) -> float:
        """Time of the last corner."""
        return self.corners[-1][0]

    def at(self, t_s: Array) -> tuple[Array, Array]:
        """x_m and y_m, each (n,), at (n,) times; held before the start and after the end."""
        t, x, y = np.array(self.corners, np.float64).T
        return np.interp(t_s, t, x), np.interp(t_s, t, y)

    def bearing_rad(self, t_s: Array) -> Array:
        """Direction of motion at (n,) times, counter-clockwise from east; 0 when at rest."""
        x0, y0 = self.at(t_s - _STEP_S)
        x1, y1 = self.at(t_s + _STEP_S)
        return np.asarray(np.arctan2(y1 - y0, x1 - x0), np.float64)

    def shifted(self, t_s: float, x_m: float, y_m: float) -> "Track":
        """The same track later and elsewhere."""
        return Track(tuple((t + t_s, x + x_m, y + y_m) for t, x, y in self.corners))

    def distances(self, node: Point) -> tuple[Array, Array]:
        """Times (n,) every 50 ms and the distance in metres to a point at each."""
        t_s = np.arange(self.start_s, self.end_s, _STEP_S)
        x_m, y_m = self.at(t_s)
        return t_s, np.hypot(x_m - node[0], y_m - node[1])


def straight(start_s: float, begin: Point, end: Point, speed_m_s: float) -> Track:
    """A straight track at a steady speed."""
    length_m = hypot(end[0] - begin[0], end[1] - begin[1])
    return Track(((start_s, *begin), (start_s + length_m / speed_m_s, *end)))


def standing(start_s: float, end_s: float, place: Point) -> Track:
    """A source that stays in place."""
    return Track(((start_s, *place), (end_s, *place)))


def crossings(track: Track, line: list[Point]) -> list[tuple[float, float, float, float]]:
    """Where a track crosses a line through points: t_s, x_m, y_m, bearing (0 north, 90 east)."""
    found = []
    for (t0, x0, y0), (t1, x1, y1) in zip(track.corners, track.corners[1:], strict=False):
        for a, b in zip(line, line[1:], strict=False):
            along = _meeting((x0, y0), (x1, y1), a, b)
            if 0.0 <= along < 1.0:
                bearing = degrees(atan2(x1 - x0, y1 - y0)) % 360.0
                x_m, y_m = x0 + along * (x1 - x0), y0 + along * (y1 - y0)
                found.append((t0 + along * (t1 - t0), x_m, y_m, bearing))
    return found


def _meeting(p0: Point, p1: Point, a: Point, b: Point) -> float:
    # Share of p0..p1 at which it meets a..b, NaN where it does not.
    dx, dy, ex, ey = p1[0] - p0[0], p1[1] - p0[1], b[0] - a[0], b[1] - a[1]
    det = dx * ey - dy * ex
    if det == 0.0:
        return nan
    fx, fy = a[0] - p0[0], a[1] - p0[1]
    on_line = (fx * dy - fy * dx) / det
    return (fx * ey - fy * ex) / det if 0.0 <= on_line < 1.0 else nan
