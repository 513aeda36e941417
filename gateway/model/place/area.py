# SPDX-License-Identifier: MIT
"""Model: polygons of sectors, in local metres."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from gateway.model.place.site import Point

_MIN_M2 = 0.01


def is_area(corners: Sequence[Point]) -> bool:
    """Whether they enclose any ground: three corners that are not on one line."""
    first = corners[0]
    far = max(corners, key=lambda one: math.dist(first, one))
    return any(abs(_turn(first, far, one)) / 2 >= _MIN_M2 for one in corners)


def is_crossed(corners: Sequence[Point]) -> bool:
    """Whether two sides cross each other, as in a figure of eight."""
    every = list(sides(corners))
    return any(
        _cross(*one, *other)
        for at, one in enumerate(every)
        for other in every[at + 2 : len(every) - (at == 0)]
    )


def outside_m(corners: Sequence[Point], point: Point) -> float:
    """Metres from an area to a point; 0 inside of it."""
    if _holds(corners, point):
        return 0.0
    return min(_distance(point, a, b) for a, b in sides(corners))


def sides(corners: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    """From each corner to the next, and back to the first."""
    return zip(corners, [*corners[1:], *corners[:1]], strict=True)


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    one, other = _turn(a, b, c) * _turn(a, b, d), _turn(c, d, a) * _turn(c, d, b)
    return one < 0 and other < 0


def _holds(corners: Sequence[Point], point: Point) -> bool:
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in sides(corners):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


def _distance(point: Point, a: Point, b: Point) -> float:
    along = (b[0] - a[0], b[1] - a[1])
    length = along[0] ** 2 + along[1] ** 2
    if not length:
        return math.dist(point, a)
    share = ((point[0] - a[0]) * along[0] + (point[1] - a[1]) * along[1]) / length
    share = min(1.0, max(0.0, share))
    return math.dist(point, (a[0] + share * along[0], a[1] + share * along[1]))
