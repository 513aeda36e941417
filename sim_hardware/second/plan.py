# SPDX-License-Identifier: MIT
"""Ground layer: where the nodes of an evaluation scene stand, and tracks past them."""

from dataclasses import dataclass

import numpy as np

from sim_hardware.second.track import Point, Track, straight
from sim_hardware.site import NodeSpec

_SPACING_M = (15.0, 30.0)
_PIR_RANGE_M = 10.0
# Farther away no source of this family counts; it bounds the work.
_REACH_M = 250.0
# An actor starts this long after the take and ends this long before its end.
_MARGIN_S = 2.0


@dataclass(frozen=True)
class Plan:
    """Nodes, and the line whose crossing counts."""

    nodes: tuple[NodeSpec, ...]
    line: tuple[Point, ...]

    def near(self, distance_m: float, rng: np.random.Generator) -> Point:
        """A place at a distance from a random node."""
        node = self.nodes[int(rng.integers(len(self.nodes)))]
        angle = rng.uniform(0, 2 * np.pi)
        return (
            float(node.x_m + distance_m * np.cos(angle)),
            float(node.y_m + distance_m * np.sin(angle)),
        )


def row(rng: np.random.Generator) -> Plan:
    """Four nodes in a row along x, looking along it and across it by turns."""
    step_m = float(rng.uniform(*_SPACING_M))
    nodes = tuple(
        NodeSpec(
            f"n{at + 1:02d}",
            round(at * step_m, 2),
            0.0,
            "",
            pir_azimuth_deg=0.0 if at % 2 else 90.0,
            pir_range_m=_PIR_RANGE_M,
        )
        for at in range(4)
    )
    return Plan(nodes, tuple((node.x_m, node.y_m) for node in nodes))


def grid(rng: np.random.Generator) -> Plan:
    """Six nodes, two rows of three; the front row, y 0, is the line."""
    step_m = float(rng.uniform(*_SPACING_M))
    nodes = tuple(
        NodeSpec(
            f"n{3 * line + at + 1:02d}",
            round(at * step_m, 2),
            round(line * step_m, 2),
            "",
            pir_azimuth_deg=180.0 if line == 0 else 0.0,
            pir_range_m=_PIR_RANGE_M,
        )
        for line in range(2)
        for at in range(3)
    )
    return Plan(nodes, tuple((node.x_m, node.y_m) for node in nodes[:3]))


def across(plan: Plan, seconds: float, speed_m_s: float, rng: np.random.Generator) -> Track:
    """A straight track that crosses the line near the middle of the take, at up to 30 degrees."""
    left, right = plan.line[0][0], plan.line[-1][0]
    at_x = float(rng.uniform(left, right))
    angle = float(np.pi / 2 + rng.uniform(-np.pi / 6, np.pi / 6))
    if rng.uniform() < 0.5:
        angle += np.pi
    return _through((at_x, 0.0), angle, seconds, speed_m_s, rng)


def beside(plan: Plan, seconds: float, speed_m_s: float, rng: np.random.Generator) -> Track:
    """A straight track parallel to the line, 8 to 40 m away, either way."""
    middle = (plan.line[0][0] + plan.line[-1][0]) / 2
    away_m = float(rng.uniform(8.0, 40.0) * rng.choice((-1.0, 1.0)))
    angle = 0.0 if rng.uniform() < 0.5 else float(np.pi)
    return _through((middle, away_m), angle, seconds, speed_m_s, rng)


def _through(
    place: Point, angle: float, seconds: float, speed_m_s: float, rng: np.random.Generator
) -> Track:
    # The place is reached at 40 to 60 % of the take.
    before_s = float(rng.uniform(0.4, 0.6)) * seconds
    after_s = min(seconds - before_s - _MARGIN_S, _REACH_M / speed_m_s)
    lead_s = min(before_s - _MARGIN_S, _REACH_M / speed_m_s)
    east, north = np.cos(angle) * speed_m_s, np.sin(angle) * speed_m_s
    begin = (float(place[0] - east * lead_s), float(place[1] - north * lead_s))
    end = (float(place[0] + east * after_s), float(place[1] + north * after_s))
    return straight(before_s - lead_s, begin, end, speed_m_s)
