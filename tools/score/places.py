# SPDX-License-Identifier: MIT
"""Score: where events were said to be, against where their actors were, amid the nodes.

Only nodes that enclose an area can say from which side somebody comes, so only there, and only
while one single actor is about, `offs` measures a place: at each report, as stated then.
`walker_places` measures walkers wherever they are, beside nodes on a line too, and whether they
were inside the ellipse that is stated to hold them in 95 of 100 cases.
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

_LEAST_WIDTH_M = 15.0  # a narrower strip is a line
_CELL_WIDTH_M = 30.0  # a wider one encloses more than the nodes' own neighbourhoods


def offs(
    truth: Truth, points: Mapping[str, Point], lines: Sequence[Mapping[str, Any]]
) -> list[tuple[float, float]]:
    """(metres off, metres claimed) of an alarm's reports while its one actor was amid the nodes."""
    corners = hull(points)
    if corners is None:
        return []
    found = []
    for line in lines:
        if line["type"] != "event" or line["alarm"] is None:
            continue
        there = amid(truth, line["t_s"], corners)
        if there is not None:
            x_m, y_m = there
            found.append((math.hypot(line["x_m"] - x_m, line["y_m"] - y_m), line["error_m"]))
    return found


class WalkerPlace(NamedTuple):
    """One report of a walker: metres off, whether he was inside the stated ellipse, the geometric
    mean of its half axes in metres, and whether the nodes enclose an area."""

    off_m: float
    is_inside: bool
    radius_m: float
    is_enclosed: bool


def walker_places(
    truth: Truth, points: Mapping[str, Point], lines: Sequence[Mapping[str, Any]]
) -> list[WalkerPlace]:
    """Of each report of an alarm while one person alone was about, within reach of a node that it
    names."""
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
    """Whether a place so far from the middle is within."""
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


def amid(
    truth: Truth, t_s: float, corners: Sequence[tuple[float, float]] | None
) -> tuple[float, float] | None:
    """Where the one actor was then, if there was one alone, and within these corners (None: or
    anywhere)."""
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
    """Whether nodes enclose ground as a cell does, and not a strip beside them."""
    corners = hull(points)
    return corners is not None and _width(corners) >= _CELL_WIDTH_M


def hull(points: Mapping[str, Point]) -> list[tuple[float, float]] | None:
    """Corners in order against the clock, None for nodes on a line."""
    given = np.array([(point.x_m, point.y_m) for point in points.values()])
    if len(given) < 3 or np.linalg.matrix_rank(given - given[0], tol=1e-6) < 2:
        return None
    try:
        hull = ConvexHull(given)
    except QhullError:
        return None
    corners = [(float(x), float(y)) for x, y in given[hull.vertices]]
    return corners if _width(corners) >= _LEAST_WIDTH_M else None


def _width(corners: Sequence[tuple[float, float]]) -> float:
    """Of the narrowest strip that holds them."""
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
