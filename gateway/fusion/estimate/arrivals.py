# SPDX-License-Identifier: MIT
"""Fusion: footfalls that arrived at several nodes, as rows of arrival time differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gateway.fusion.estimate.positions import FArray
from gateway.model.event import Activity
from gateway.model.footfalls import Footfall
from gateway.model.place.site import Site

_SINCE_US = 20_000_000  # older steps hardly narrow the present place
_SLOWEST_M_S = 80.0
_SLACK_S = 0.03
_PICK_S = 0.010  # how well a step is timed: soft ground, its own path, four milliseconds a sample
_TOGETHER = 4  # steps of one pair of nodes share clocks and paths: they count as so many

Row = tuple[float, float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Rows of two arrivals that may be of one step. Rows of one step at node a stand together;
    `firsts` are where they begin. Times in seconds, 0 at the event's newest report."""

    a_m: FArray  # (rows, 2)
    b_m: FArray  # (rows, 2)
    at_s: FArray  # (rows,) when it arrived at a
    lead_s: FArray  # (rows,) how much sooner than at b
    sigma_s: FArray  # (rows,)
    firsts: NDArray[np.intp]  # (steps,)
    weight: FArray  # (steps,)


def arrivals(site: Site, activities: Sequence[Activity], at_us: int) -> Arrivals | None:
    """All that may belong together, of the last seconds; None without two nodes that have any."""
    by_node: dict[str, list[Footfall]] = {}
    for activity in activities:
        lately = [one for one in activity.footfalls if one.at_us >= at_us - _SINCE_US]
        if lately:
            by_node.setdefault(activity.id.node, []).extend(lately)
    steps: list[list[Row]] = []
    weights: list[float] = []
    for a, b in combinations(sorted(by_node), 2):
        of_pair = _of_pair(site, a, b, by_node, at_us)
        steps += of_pair
        # n nodes give n - 1 differences, in n (n - 1) / 2 pairs
        share = 2 / len(by_node) * min(1.0, _TOGETHER / max(1, len(of_pair)))
        weights += [share] * len(of_pair)
    if not steps:
        return None
    table = np.array([row for step in steps for row in step])
    firsts = np.cumsum([0, *(len(step) for step in steps[:-1])]).astype(np.intp)
    columns = (table[:, 0:2], table[:, 2:4], table[:, 4], table[:, 5], table[:, 6])
    return Arrivals(*columns, firsts, np.array(weights))


def _of_pair(
    site: Site, a: str, b: str, by_node: dict[str, list[Footfall]], at_us: int
) -> list[list[Row]]:
    """For each step of a that has any, its partners of b."""
    here, there = site.nodes[a], site.nodes[b]
    apart_m = math.hypot(here.x_m - there.x_m, here.y_m - there.y_m)
    most_us = round((apart_m / _SLOWEST_M_S + _SLACK_S) * 1e6)
    places = (here.x_m, here.y_m, there.x_m, there.y_m)
    found: list[list[Row]] = []
    for first in by_node[a]:
        step: list[Row] = []
        for second in by_node[b]:
            lead_us = second.at_us - first.at_us
            if abs(lead_us) <= most_us:
                clocks_us = math.hypot(first.error_us, second.error_us) / math.sqrt(3)
                sigma_s = math.hypot(_PICK_S, clocks_us / 1e6)
                step.append((*places, (first.at_us - at_us) / 1e6, lead_us / 1e6, sigma_s))
        if step:
            found.append(step)
    return found
