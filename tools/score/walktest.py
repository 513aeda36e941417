# SPDX-License-Identifier: MIT
"""Score: a walk test of a site: a person walks past the nodes on a known path.

In a world the test is one more walker on the same ground, before those that are scored. Node gains
stay, but the loss of each path is drawn again for each pass, as for every actor.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from itertools import combinations

from gateway.fusion.calibrate import Calibration, Sample
from gateway.fusion.estimate.measurements import PEAK_OVER_FLOOR
from gateway.fusion.estimate.wave import Lead
from gateway.model.place.site import Site
from sim_hardware.world import Scenario
from sim_hardware.world.scenario import ActorSpec
from tools.score.observe import Observation
from tools.score.places import inside_at
from tools.score.truth import Point

PASSES = 12
_REPORT_S = 5.5
_PACE_M_S = 1.35
_ASIDE_M = 6.0
_PAUSE_S = 30.0
_ON_FOOT = "person"
_SLOWEST_M_S = 60.0


def samples(seen: Observation) -> list[Sample]:
    """Each report's peak with the distance of the walker, while only one was present."""
    return [one for node in seen.points for one in _of_node(seen, node)]


def _of_node(seen: Observation, node: str) -> Iterator[Sample]:
    before_s: dict[int, float] = {}
    for report in seen.reports[node]:
        reported_s = report.reported_ms / 1000 - seen.lead_s
        since_s = before_s.get(report.onset_ms)
        before_s[report.onset_ms] = reported_s
        if since_s is None or not report.peak_um_s_x100:
            continue
        from_s = max(since_s, reported_s - _REPORT_S)
        near = _nearest(seen, seen.points[node], from_s, reported_s)
        if near is not None:
            walk, distance_m = near
            noise = PEAK_OVER_FLOOR * seen.floor_um_s(node, reported_s)
            yield Sample(node, walk, distance_m, report.peak_um_s_x100 / 100, noise)


def _nearest(
    seen: Observation, place: Point, since_s: float, until_s: float
) -> tuple[str, float] | None:
    found: dict[str, float] = {}
    for name, steps in seen.truth.walks.items():
        for t_s, x_m, y_m in steps:
            if since_s <= t_s <= until_s:
                far_m = math.hypot(x_m - place.x_m, y_m - place.y_m)
                found[name] = min(far_m, found.get(name, math.inf))
    if len(found) != 1:
        return None
    (walk,) = found
    return (walk, found[walk]) if seen.truth.actors[walk]["class"] == _ON_FOOT else None


def leads(seen: Observation) -> list[Lead]:
    """How much sooner each step came to one node than to another, while one walker was present."""
    steps = {
        node: [(at_ms / 1000 - seen.lead_s) for one in reports for at_ms, _ in one.footfalls]
        for node, reports in seen.footfalls.items()
    }
    found = []
    for a, b in combinations(sorted(steps), 2):
        here, there = seen.points[a], seen.points[b]
        reach_s = math.hypot(here.x_m - there.x_m, here.y_m - there.y_m) / _SLOWEST_M_S
        for at_s in steps[a]:
            place = inside_at(seen.truth, at_s, None)
            if place is None:
                continue
            far_a = math.hypot(place[0] - here.x_m, place[1] - here.y_m)
            far_b = math.hypot(place[0] - there.x_m, place[1] - there.y_m)
            for other_s in steps[b]:
                if abs(other_s - at_s) <= reach_s:
                    found.append(Lead(far_b - far_a, other_s - at_s))
    return found


def walk_test(scenario: Scenario) -> tuple[Scenario, float]:
    """The same site with one walker that passes each node PASSES times, and the seconds needed."""
    corners = [(node.x_m, node.y_m + _ASIDE_M) for node in scenario.nodes]
    (x0, y0), (x1, y1) = corners[0], corners[-1]
    path = ((x0 - 20.0, y0 - 15.0), *corners, (x1 + 20.0, y1 + 15.0))
    way_m = sum(math.dist(a, b) for a, b in zip(path[:-1], path[1:], strict=True))
    every_s = way_m / _PACE_M_S + _PAUSE_S
    tester = ActorSpec(
        id="walk_test",
        class_name=_ON_FOOT,
        path=path,
        start_s=20.0,
        every_s=every_s,
        speed_m_s=_PACE_M_S,
        alternate=True,
    )
    test = dataclasses.replace(
        scenario, name=f"{scenario.name} walk test"[:64], actors=(tester,), nuisances=()
    )
    return test, 20.0 + PASSES * every_s


def calibrated(site: Site, found: Calibration) -> Site:
    """The site with the gains and ground that the walk test measured."""
    gains: Mapping[str, float] = found.gain_db
    nodes = {
        name: dataclasses.replace(node, gain_db=gains.get(name, node.gain_db))
        for name, node in site.nodes.items()
    }
    return Site(site.name, nodes, site.sectors, found.ground)
