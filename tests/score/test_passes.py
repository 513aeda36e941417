# SPDX-License-Identifier: MIT
"""The world's truth about which actor was audible at which node."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from sim_hardware.world import Audibility, World, load
from sim_hardware.world.audibility import NodeAudibility
from sim_hardware.world.geophone import FS_HZ

NOISE_NM_S = 100.0


def burst(burst_nm_s: float, seconds: list[int], total: int = 30) -> NodeAudibility:
    """A 30 Hz tone for the first quarter of each of `seconds`, over white noise."""
    rng = np.random.default_rng(4)
    node = NodeAudibility(2 * FS_HZ)
    tone = burst_nm_s * np.sin(2 * np.pi * 30 * np.arange(FS_HZ // 4) / FS_HZ)
    for second in range(total):
        if second in seconds:
            node.add("walker", 0, tone)
        node.second(rng.normal(0, NOISE_NM_S, FS_HZ))
    return node


def test_pass_twice_within_three_seconds_over_3_db_is_audible() -> None:
    # white noise of 100 nm/s at 500 Hz has 46 nm/s in 8..60 Hz
    assert burst(150, [12, 14]).audible_s("walker", 10, 20) == 14.5


def test_pass_once_or_too_far_apart_is_not_audible() -> None:
    assert burst(150, [12]).audible_s("walker", 10, 20) is None
    assert burst(150, [12, 16]).audible_s("walker", 10, 20) is None


def test_pass_below_the_ambient_is_not_audible() -> None:
    assert burst(40, [11, 12, 13, 14, 15]).audible_s("walker", 10, 20) is None


def test_pass_outside_the_asked_time_is_not_audible_then() -> None:
    node = burst(150, [12, 13, 14])
    assert node.audible_s("walker", 16, 26) is None
    assert node.audible_s("absent", 0, 30) is None


def test_world_samples_with_bookkeeping_are_the_same() -> None:
    world = World(load(Path("night_walker_two_nodes")), 6)
    plain, kept = world.record(30), world.record(30, Audibility())
    for name, velocity in plain.velocity_m_s.items():
        assert np.array_equal(velocity, kept.velocity_m_s[name])
    assert plain.pir_edges_s == kept.pir_edges_s


def test_truth_of_a_near_walker_is_audible_and_of_one_far_in_a_gale_is_not() -> None:
    scenario = load(Path("night_walker_two_nodes"))
    passes = World(scenario, 6).take(100).truth["passes"]
    assert [(p["node"], p["class"], p["audible"]) for p in passes] == [
        ("n01", "person", True),
        ("n02", "person", True),
    ]
    assert all(abs(p["distance_m"] - 15) < 0.1 and 50 < p["t_cpa_s"] < 60 for p in passes)
    gale = dataclasses.replace(
        scenario,
        weather=dataclasses.replace(scenario.weather, wind_m_s=20.0),
        nodes=tuple(dataclasses.replace(n, x_m=n.x_m - 45) for n in scenario.nodes[:1]),
    )
    (far,) = World(gale, 6).take(100).truth["passes"]
    assert far["distance_m"] > 55
    assert not far["audible"]
    assert "audible_from_s" not in far
