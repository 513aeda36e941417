# SPDX-License-Identifier: MIT
"""The stated ellipse: its shape, that it holds the truth, and that one node makes it wide."""

from __future__ import annotations

import math

import pytest

from gateway.fusion.estimate import ellipse
from gateway.fusion.estimate.motions import motion_of
from gateway.fusion.rules import Rules
from gateway.model.event import Event
from gateway.model.observation import Covariance
from gateway.model.place.site import Ground, Node
from gateway.model.target import TargetClass
from tests.fusion.scenes import activity
from tests.fusion.walkers import T0, Place, S, detections, line, run, site_of, walk
from tools.score.places import is_inside

CELL = site_of((0, 0), (40, 0), (40, 40), (0, 40))


def test_ellipse_of_a_covariance_has_its_axes_and_bearing() -> None:
    given = ellipse.of_covariance(Covariance(16.0, 4.0))
    assert (given.major_m, given.minor_m, given.bearing_deg) == (9.8, 4.9, 90.0)
    given = ellipse.of_covariance(Covariance(10.0, 10.0, -6.0))
    assert (given.major_m, given.minor_m, given.bearing_deg) == (9.8, 4.9, 135.0)
    assert ellipse.of_covariance(Covariance(4.0, 16.0)).bearing_deg == 0.0


def test_path_that_explains_badly_is_less_sure_and_none_is_surer_than_the_model() -> None:
    error = Covariance(1.0, 1.0)
    good, bad = (ellipse.of_path(error, misfit, by_arrivals=False) for misfit in (0.2, 9.0))
    assert good.minor_m >= 7.3
    assert bad.minor_m > 1.3 * good.minor_m
    assert ellipse.of_path(error, 0.2, by_arrivals=True).minor_m < good.minor_m


def test_one_node_alone_is_as_unsure_as_it_reaches() -> None:
    node, ground, rules = Node("n01", 0, 0, "s"), Ground(), Rules()
    motion = motion_of(TargetClass.PERSON, 1.8)

    def reach_m(peak_um_s: float, farthest_m: float = rules.reach_m) -> float:
        return ellipse.reach_m(ellipse.LonePeak(node, peak_um_s, 0.28, farthest_m), motion, ground)

    faint_m, loud_m = reach_m(0.4), reach_m(60.0)
    assert 20 < loud_m < faint_m
    assert 50 < faint_m < rules.reach_m + 10
    assert reach_m(0.4, rules.vehicle_reach_m) > faint_m
    assert reach_m(0.0) <= rules.reach_m + 10


def test_event_of_one_node_states_a_circle_that_holds_its_range_of_detection() -> None:
    site = line(4)
    (versions,) = run(site, activity(site, "n02", 5.0, [2.0, 3.0, 2.0], TargetClass.PERSON))
    for event in versions:
        assert event.ellipse is not None
        assert (event.x_m, event.y_m) == (25.0, 0.0)
        assert event.ellipse.major_m == event.ellipse.minor_m > 50


def inside(versions: list[Event], place: Place) -> list[bool]:
    found = []
    for event in versions:
        x_m, y_m = place((event.last_us - T0) / S)
        if x_m < 1e3 and event.ellipse is not None:
            found.append(is_inside(event.ellipse, x_m - event.x_m, y_m - event.y_m))
    return found


@pytest.mark.parametrize("nodes", ["cell", "line"])
def test_truth_is_inside_in_most_reports(nodes: str) -> None:
    site = CELL if nodes == "cell" else line(4)
    held: list[bool] = []
    for seed in range(6):
        place = walk((10 + 4 * seed, -35), (30 - 4 * seed, 75))
        for versions in run(site, detections(site, place, 90, seed)):
            held += inside(versions, place)
    assert len(held) > 100
    assert sum(held) / len(held) > 0.9


def test_ellipse_is_long_across_a_straight_line_that_gives_no_side() -> None:
    place = walk((37, -60), (38, 60))
    (versions,) = run(line(4), detections(line(4), place, 90, 1))
    widest = max(
        (one.ellipse for one in versions if one.ellipse is not None and one.fix is not None),
        key=lambda one: one.major_m / one.minor_m,
    )
    assert widest.major_m > 1.5 * widest.minor_m
    assert abs(math.cos(math.radians(widest.bearing_deg))) > 0.9
