# SPDX-License-Identifier: MIT
"""The score's radio loses and repeats by a seed; positions are measured inside the area only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.model.ellipse import Ellipse
from sim_hardware.world import load
from tools.errors import UserError
from tools.score.cli import _impaired
from tools.score.link import PERFECT, Link
from tools.score.places import is_cell, is_inside, offs, walker_places
from tools.score.suite import WorldJob
from tools.score.truth import Point, read_truth

S = 1_000_000
SQUARE = {"a": Point(0, 0), "b": Point(40, 0), "c": Point(40, 40), "d": Point(0, 40)}
WALK = {
    "id": "w",
    "class": "person",
    "count": 1,
    "detail": "",
    "path": [[0, 20, -30], [100, 20, 70]],
}


def test_perfect_link_delivers_once_and_at_once() -> None:
    assert list(PERFECT.arrivals("n01/0/1", 5 * S, durable=True)) == [5 * S + 100_000]


def test_lossy_link_delivers_every_durable_message_some_late_and_some_twice() -> None:
    link = Link(30, seed=1)
    arrivals = [list(link.arrivals(f"n01/0/{i}", 0, durable=True)) for i in range(2000)]
    assert all(arrivals)
    at_once = sum(one[0] < S for one in arrivals) / 2000
    assert at_once == pytest.approx(0.7, abs=0.04)
    assert 0.1 < sum(len(one) > 1 for one in arrivals) / 2000 < 0.4
    assert arrivals == [list(link.arrivals(f"n01/0/{i}", 0, durable=True)) for i in range(2000)]


def test_lossy_link_loses_heartbeats_for_good() -> None:
    link = Link(30, seed=1)
    kept = sum(bool(link.arrivals(f"n01/1/{i}", 0, durable=False)) for i in range(2000))
    assert kept / 2000 == pytest.approx(0.7, abs=0.04)


def place(t_s: float, x_m: float, y_m: float) -> dict[str, Any]:
    return {"type": "event", "alarm": 1, "t_s": t_s, "x_m": x_m, "y_m": y_m, "error_m": 5.0}


def test_places_are_measured_while_the_actor_is_inside_the_area() -> None:
    truth = read_truth({"version": 1, "actors": [WALK]}, SQUARE, 200, "take")
    lines = [place(10, 20, -20), place(50, 23, 24), place(90, 20, 60), place(150, 0, 0)]
    assert offs(truth, SQUARE, lines) == [(pytest.approx(5.0), 5.0)]


def test_places_of_a_line_of_nodes_are_not_measured() -> None:
    line = {"a": Point(0, 0), "b": Point(25, 0), "c": Point(50, 0)}
    truth = read_truth({"version": 1, "actors": [WALK]}, line, 200, "take")
    assert offs(truth, line, [place(30, 20, 0)]) == []
    narrow = {**line, "d": Point(25, 3)}
    assert offs(truth, narrow, [place(31, 20, 1)]) == []


def test_walkers_are_measured_beside_a_line_too_by_the_stated_ellipse() -> None:
    line = {"a": Point(0, 0), "b": Point(25, 0), "c": Point(50, 0)}
    truth = read_truth({"version": 1, "actors": [WALK]}, line, 200, "take")
    across = Ellipse(25.0, 4.0, 0.0)
    lines = [
        place(10, 20, 0) | {"nodes": ["a", "b"], "ellipse": across},  # the walker is 20 m south
        place(31, 26, 0) | {"nodes": ["b"], "ellipse": across},  # and 1 m north, 6 m aside
        place(99, 20, 0) | {"nodes": ["a"], "ellipse": across},  # beyond reach
        place(150, 20, 0) | {"nodes": ["a"], "ellipse": across},  # no person is present
    ]
    found = walker_places(truth, line, lines)
    assert [one.is_inside for one in found] == [True, False]
    assert [one.off_m for one in found] == [pytest.approx(20.0), pytest.approx(37**0.5)]
    assert found[0].radius_m == pytest.approx(10.0) and not found[0].is_enclosed
    vehicle = WALK | {"class": "vehicle"}
    assert not walker_places(
        read_truth({"version": 1, "actors": [vehicle]}, line, 200, ""), line, lines
    )


def test_ellipse_holds_what_is_within_along_its_bearing() -> None:
    north_east = Ellipse(10.0, 2.0, 45.0)
    assert is_inside(north_east, 6.0, 6.0) and not is_inside(north_east, 6.0, -6.0)
    assert not is_inside(north_east, 8.0, 8.0)


def test_square_of_nodes_is_a_cell_and_a_zigzag_is_none() -> None:
    square = [(0, 0), (40, 0), (40, 40), (0, 40)]
    zigzag = [(25 * i, 20 * (i % 2)) for i in range(8)]
    cells = [is_cell({str(i): Point(*at) for i, at in enumerate(one)}) for one in (square, zigzag)]
    assert cells == [True, False]


def test_dead_nodes_and_loss_are_refused_where_they_mean_nothing() -> None:
    job = WorldJob(load(Path("walkers_line_of_8")), 1, 60.0)
    dead = _impaired(job, 30, ["n04"])
    assert isinstance(dead, WorldJob)
    assert [(t.node, t.faults.dead_from_s) for t in dead.scenario.node_faults] == [("n04", 0.0)]
    assert dead.link == Link(30, 1)
    for loss, names in ((95, []), (30, ["n99"])):
        with pytest.raises(UserError):
            _impaired(job, loss, names)
