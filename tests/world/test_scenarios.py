# SPDX-License-Identifier: MIT
"""The built-in scenarios: each loads, runs, has a valid truth, and is the same every time."""

import math

import numpy as np
import pytest

from sim_hardware.errors import SimError
from sim_hardware.world import World, load, parse
from sim_hardware.world.geophone import FS_HZ
from sim_hardware.world.scenario import SCENARIOS

NAMES = sorted(path.stem for path in SCENARIOS.glob("*.toml"))
HARD = {
    "sneaking_walker",
    "walker_in_storm",
    "horse_with_rider",
    "convoy",
    "shovel_15m",
    "pickaxe_15m",
    "two_groups_crossing",
    "dead_node_of_8",
}


def test_there_are_many_scenarios_and_the_hard_ones_among_them():
    assert len(NAMES) >= 20
    assert set(NAMES) >= HARD


@pytest.mark.parametrize("name", NAMES)
def test_scenario_runs_and_has_every_actor_in_the_truth(name):
    scenario = load(SCENARIOS / f"{name}.toml")
    world = World(scenario, 3)
    take = world.take(20.0)
    for node in take.nodes:
        velocity = take.signals[node.id].velocity_m_s
        assert velocity.size == 20 * FS_HZ
        assert 1e-9 < np.std(velocity) < 1e-3
    sectors = {sector.id for sector in take.sectors}
    assert {node.sector for node in take.nodes} <= sectors
    due = {actor.id for actor in scenario.actors if actor.start_s < 20}
    assert {actor["id"].split("-")[0] for actor in take.truth["actors"]} == due
    assert take.truth.get("faults", []) == [] or scenario.node_faults
    for condition in take.truth["conditions"]:
        assert 0 <= condition["t0_s"] <= condition["t1_s"] <= 20
        assert math.isfinite(condition["level"])


@pytest.mark.parametrize("name", ["convoy", "thunder", "trees_in_wind", "dead_node_of_8"])
def test_scenario_is_the_same_however_it_is_cut(name):
    world = World(load(SCENARIOS / f"{name}.toml"), 4)
    whole = world.record(40)
    blocks = world.blocks(0.7)
    parts = [next(blocks) for _ in range(57)]
    for node in world.nodes[2:5]:
        joined = np.concatenate([part.velocity_m_s[node.id] for part in parts])
        assert np.array_equal(joined, whole.velocity_m_s[node.id][: joined.size])
        edges = [t_s for part in parts for t_s in part.pir_edges_s[node.id]]
        assert edges == [t_s for t_s in whole.pir_edges_s[node.id] if t_s < 39.9]


GOOD = """
[site]
name = "s"
[line]
nodes = 4
spacing_m = 20
sectors = ["a", "b"]
"""
WALKER = '[[actor]]\nid = "w"\nkind = "walker"\npath = [[0, 0], [1, 1]]\n'


def test_line_shares_its_nodes_among_its_sectors():
    scenario = parse(GOOD)
    assert [(node.id, node.x_m, node.sector) for node in scenario.nodes] == [
        ("n01", 0.0, "a"),
        ("n02", 20.0, "a"),
        ("n03", 40.0, "b"),
        ("n04", 60.0, "b"),
    ]
    assert [(sector.id, sector.polygon[0], sector.polygon[2]) for sector in scenario.sectors] == [
        ("a", (-20.0, -40.0), (30.0, 40.0)),
        ("b", (30.0, -40.0), (80.0, 40.0)),
    ]


def test_kind_gives_class_and_speed_and_the_scenario_may_override_them():
    walker = parse(GOOD + WALKER).actors[0]
    assert (walker.class_name, walker.speed_m_s, walker.count) == ("person", 1.4, 1)
    horse = parse(GOOD + WALKER.replace("walker", "horse") + "speed_m_s = 4\n").actors[0]
    assert (horse.class_name, horse.speed_m_s) == ("animal", 4)
    assert parse(GOOD + WALKER.replace("walker", "group")).actors[0].count == 4


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GOOD.replace("nodes = 4", "nodes = 0"), "line.nodes: 0 is outside"),
        (GOOD.replace('["a", "b"]', "[1]"), "line.sectors: must be names"),
        (GOOD + WALKER.replace("walker", "ghost"), "'ghost' is none of"),
        (GOOD + WALKER + 'class = "vehicle"\n', "a walker is no vehicle"),
        (GOOD + WALKER + WALKER, "every id may be used once"),
        (GOOD + '[[nuisance]]\nid = "x"\nkind = "ufo"', "'ufo' is none of"),
        (GOOD + '[[nuisance]]\nid = "x"\nkind = "road"', "needs two points"),
        (GOOD + '[[nuisance]]\nid = "x"\nkind = "blast"\nevery_s = 0.1', "1 s or more"),
        (GOOD + "[[weather]]\nt_s = 5\nwind_m_s = 2", "rain_mm_h is missing"),
        (
            GOOD + "[[weather]]\nt_s = 5\nwind_m_s = 2\nrain_mm_h = 0\n" * 2,
            "weather 2.t_s: must rise",
        ),
        (GOOD + '[[fault]]\nnode = "n09"', "'n09' is no node"),
        (GOOD + '[[fault]]\nnode = "n01"\n[[fault]]\nnode = "n01"', "'n01' is no node"),
        (GOOD + '[[fault]]\nnode = "n01"\noutages_s = [[5]]', "no pair of numbers"),
        (GOOD + '[[fault]]\nnode = "n01"\noutages_s = [[5, 2]]', "before it begins"),
        (GOOD + '[[fault]]\nnode = "n01"\ntamper_edges_s = [3, 1]', "must rise"),
        (GOOD + '[[fault]]\nnode = "n01"\nbattery_curve = [[0, 9000]]', "9000 mV is outside"),
        (GOOD + '[[fault]]\nnode = "n01"\nclock_ppm = 9000', "clock_ppm: 9000 is outside"),
        (GOOD + "[pir]\nair_c = 99", "pir.air_c: 99 is outside"),
    ],
)
def test_scenario_with_a_faulty_table_is_refused_in_one_line(text, complaint):
    with pytest.raises(SimError) as caught:
        parse(text)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
