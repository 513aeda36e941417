# SPDX-License-Identifier: MIT
"""Times of arrival beside loudness: they place somebody as well as clocks and chance allow."""

from __future__ import annotations

import numpy as np
import pytest

from sim_hardware.site import NodeSpec, Site
from tools.score.arrivals import joined, of_one
from tools.score.observe import Observation
from tools.score.truth import Truth

NODES = np.array([(0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0)])
HERE = np.array([13.0, 22.0])
SPEED = 150.0


def arrivals() -> np.ndarray:
    """Of one strike at HERE, 3 s into the take."""
    return np.asarray(3.0 + np.hypot(*(NODES - HERE).T) / SPEED)


def off_m(late_s: np.ndarray, sigma_s: float, speed: float = SPEED) -> float:
    """How far off, from a place that loudness put 9 m away."""
    place = HERE + np.array([7.0, -6.0])
    return float(np.hypot(*(joined(NODES, arrivals() + late_s, sigma_s, place, 8.0, speed) - HERE)))


def test_arrivals_with_good_clocks_mend_a_place() -> None:
    assert off_m(np.zeros(4), 0.003) < 1.0


@pytest.mark.parametrize("factor", [0.85, 1.2])
def test_arrivals_mend_a_place_though_the_waves_speed_is_known_roughly(factor: float) -> None:
    assert off_m(np.zeros(4), 0.003, factor * SPEED) < 3.0


def test_arrivals_with_bad_clocks_leave_the_place_where_it_was() -> None:
    assert off_m(np.array([0.3, -0.4, 0.2, 0.1]), 0.3) == pytest.approx(9.2, abs=1.5)


def test_arrivals_that_no_one_strike_can_have_made_are_told_apart() -> None:
    nodes = tuple(NodeSpec(f"n{i}", x, y, "s", "pico_w") for i, (x, y) in enumerate(NODES))
    truth = Truth(10.0, {}, {}, (), (), (), {}, {})
    seen = Observation("cell", Site("cell", nodes, ()), truth, {}, 0.0)
    given = {"n0": 3.0, "n1": 3.2, "n2": 4.1, "n3": 3.1}
    assert of_one(seen, given) == {"n0": 3.0, "n1": 3.2, "n3": 3.1}
