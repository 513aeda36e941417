# SPDX-License-Identifier: MIT
"""Score: stated positions of events against the positions of their actors.

Only nodes that enclose an area can estimate the side on which an actor is. `offs` therefore
measures positions inside such an area, at each report, and only while one actor is present.
`walker_places` measures walkers anywhere, also beside nodes on a line, and whether they were inside
the stated 95 % ellipse.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from gateway.model.ellipse import Ellipse
from tools.score.truth import REACH_FOOT_M, WANTED, Point, Truth

_MIN_WIDTH_M = 15.0  # a narrower strip is a line
_CELL_WIDTH_M = 30.0  # a wider one encloses more than the nodes' own neighbourhoods


def offs(
    truth: Truth, points: Mapping[str, Point], lines: Sequence[Mapping[str, Any]]
) -> list[tuple[float, float]]:
    """(metres off, metres stated) of an alarm's reports while its one actor was inside the area."""
    corners = hull(points)
    if corners is None:
        return []
    found = []
    for line in lines:
        if line["type"] != "event" or line["alarm"] is None:
            continue
        there = inside_at(truth, line["t_s"], corners)
        if there is not None:
            x_m, y_m = there
            found.append((math.hypot(line["x_m"] - x_m, line["y_m"] - y_m), line["error_m"]))
    return found


class WalkerPlace(NamedTuple):
    """One report of a walker: metres off, whether the walker was inside the stated ellipse, the
    geometric mean of its half axes in metres, and whether the nodes enclose an area."""

    off_m: float
    is_inside: bool
    radius_m: float
    is_enclosed: bool


def walker_places(
    truth: Truth, points: Mapping[str, Point], lines: Sequence[Mapping[str, Any]]
) -> list[WalkerPlace]:
    """Of each report of an alarm while one person alone was present, within reach of a node that
    it names."""
    is_enclosed = hull(points) is not None
    found = []
    for line in lines:
        if line["type"] != "event" or line["alarm"] is None or line["ellipse"] is None:
            continue
        there = _present(truth, line["t_s"])
        if len(there) != 1 or not _is_walker(truth, line["t_s"]):
            continue
        ((x_m, y_m),) = there
        named = [points[name] for name in line["nodes"]]
        if min(math.hypot(x_m - one.x_m, y_m - one.y_m) for one in named) > REACH_FOOT_M:
            continue
        east_m, north_m = x_m - line["x_m"], y_m - line["y_m"]
        around = line["ellipse"]
        radius_m = math.sqrt(around.major_m * around.minor_m)
        inside = is_inside(around, east_m, north_m)
        found.append(WalkerPlace(math.hypot(east_m, north_m), inside, radius_m, is_enclosed))
    return found


def is_inside(around: Ellipse, east_m: float, north_m: float) -> bool:
    """Whether a point at this offset from the middle is within."""
    bearing = math.radians(around.bearing_deg)
    along_m = east_m * math.sin(bearing) + north_m * math.cos(bearing)
    across_m = east_m * math.cos(bearing) - north_m * math.sin(bearing)
    return math.hypot(along_m / around.major_m, across_m / around.minor_m) <= 1


def _is_walker(truth: Truth, t_s: float) -> bool:
    return all(
        truth.actors[name]["class"] == "person"
        for name, steps in truth.walks.items()
        if steps[0][0] <= t_s <= steps[-1][0]
    )


def inside_at(
    truth: Truth, t_s: float, corners: Sequence[tuple[float, float]] | None
) -> tuple[float, float] | None:
    """The position of the actor at a time, if there was exactly one and it was within these corners
    (None: anywhere)."""
    there = _present(truth, t_s)
    if len(there) != 1 or (corners is not None and not _inside(there[0], corners)):
        return None
    return there[0]


def _present(truth: Truth, t_s: float) -> list[tuple[float, float]]:
    places = []
    for name, steps in truth.walks.items():
        if steps[0][0] <= t_s <= steps[-1][0] and truth.actors[name]["class"] in WANTED:
            _, x_m, y_m = min(steps, key=lambda step: abs(step[0] - t_s))
            places.append((x_m, y_m))
    return places


def is_cell(points: Mapping[str, Point]) -> bool:
    """Whether nodes enclose an area as wide as a cell."""
    corners = hull(points)
    return corners is not None and _width(corners) >= _CELL_WIDTH_M


def hull(points: Mapping[str, Point]) -> list[tuple[float, float]] | None:
    """Corners, anticlockwise; None for nodes on a line."""
    given = np.array([(point.x_m, point.y_m) for point in points.values()])
    if len(given) < 3 or np.linalg.matrix_rank(given - given[0], tol=1e-6) < 2:
        return None
    try:
        hull = ConvexHull(given)
    except QhullError:
        return None
    corners = [(float(x), float(y)) for x, y in given[hull.vertices]]
    return corners if _width(corners) >= _MIN_WIDTH_M else None


def _width(corners: Sequence[tuple[float, float]]) -> float:
    """The width of the narrowest strip that holds them."""
    return min(max(_away(corner, a, b) for corner in corners) for a, b in _sides(corners))


def _sides(
    corners: Sequence[tuple[float, float]],
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    return list(pairwise([*corners, corners[0]]))


def _away(place: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres to the left of the line from a to b."""
    along_x, along_y = b[0] - a[0], b[1] - a[1]
    cross = along_x * (place[1] - a[1]) - along_y * (place[0] - a[0])
    return cross / math.hypot(along_x, along_y)


def _inside(place: tuple[float, float], corners: Sequence[tuple[float, float]]) -> bool:
    return all(_away(place, a, b) >= 0 for a, b in _sides(corners))
