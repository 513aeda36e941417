# SPDX-License-Identifier: MIT
"""The simulated ground: reproducible, physical, and with a correct truth."""

from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from sim_hardware.errors import SimError
from sim_hardware.world import World, load, parse
from sim_hardware.world.ambient import Weather
from sim_hardware.world.geophone import FS_HZ, Geophone
from sim_hardware.world.scenario import ActorSpec, NodeSpec, Scenario
from sim_hardware.world.soil import FARTHEST_M, SOILS, PulseBank, Strike

BAND = signal.butter(2, [8, 60], "band", fs=FS_HZ, output="sos")
STILL = Weather(level_nm_s=100.0, drift_db=0.0, wind_m_s=0.0)
WALKER = ActorSpec("w", "person", ((-40.0, 6.0), (40.0, 6.0)), start_s=5.0, heel=0.15)


def one_node(*actors, weather=STILL, **more):
    node = NodeSpec("n01", 0.0, 0.0, "s", pir_azimuth_deg=0.0, pir_range_m=12.0)
    return Scenario("one", (node,), (), actors, weather, **more)


def band_rms(velocity_m_s):
    return 1e9 * np.sqrt(np.mean(signal.sosfilt(BAND, velocity_m_s)[FS_HZ:] ** 2))


def test_world_of_one_seed_is_the_same_however_it_is_cut():
    world = World(one_node(WALKER, weather=Weather(100.0, 1.0, 6.0, 2.0)), 3)
    whole = world.record(40)
    blocks = world.blocks(0.26)
    parts = [next(blocks) for _ in range(150)]
    joined = np.concatenate([part.velocity_m_s["n01"] for part in parts])
    assert np.array_equal(joined, whole.velocity_m_s["n01"][: joined.size])
    edges = [t for part in parts for t in part.pir_edges_s["n01"]]
    assert edges == [t for t in whole.pir_edges_s["n01"] if t < 39]
    assert edges == sorted(edges)


def test_world_of_another_seed_differs():
    first = World(one_node(WALKER), 1).record(5).velocity_m_s["n01"]
    second = World(one_node(WALKER), 2).record(5).velocity_m_s["n01"]
    assert not np.array_equal(first, second)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2


def test_world_with_another_actor_keeps_all_other_samples():
    alone = World(one_node(), 4).record(4).velocity_m_s["n01"]
    later = World(one_node(WALKER), 4).record(4).velocity_m_s["n01"]
    assert np.array_equal(alone, later)  # the walker starts at 5 s


def test_ambient_level_is_the_rms_asked_for():
    for level in (40.0, 200.0):
        world = World(one_node(weather=Weather(level, 0.0, 0.0)), 5)
        assert band_rms(world.record(60).velocity_m_s["n01"]) == pytest.approx(level, rel=0.1)


def test_wind_and_rain_raise_the_noise():
    calm = band_rms(World(one_node(), 6).record(60).velocity_m_s["n01"])
    storm = band_rms(
        World(one_node(weather=Weather(100.0, 0.0, 12.0)), 6).record(60).velocity_m_s["n01"]
    )
    rain = band_rms(
        World(one_node(weather=Weather(100.0, 0.0, 0.0, 20.0)), 6).record(60).velocity_m_s["n01"]
    )
    assert storm > 1.5 * calm
    assert rain > 1.2 * calm


# Peak velocity in 8..60 Hz of a walker's heel strike (0.25 of 80 kg, 18 ms) at 5, 10, 20, 30 m by
# Lamb's solution, in nm/s: figures computed independently of this code, good to about a fifth.
@pytest.mark.parametrize(
    ("soil", "peaks"),
    [
        ("clay", (21000, 10100, 3600, 1600)),
        ("loam", (8500, 5000, 2500, 1500)),
        ("firm", (3400, 2200, 1360, 960)),
        ("gravel", (1000, 690, 460, 350)),
    ],
)
def test_heel_strike_decays_with_distance_by_lambs_solution(soil, peaks):
    class Perfect(Geophone):
        def response(self, f_hz):
            return np.ones(f_hz.shape, complex)

    still = np.zeros(256)
    still[0] = 1
    bank = PulseBank(SOILS[soil], Strike(0.25 * 785, 0.018), Perfect(), still)
    for distance_m, peak in zip((5, 10, 20, 30), peaks, strict=True):
        found = np.abs(signal.sosfilt(BAND, bank.pulse(distance_m))).max()
        assert found == pytest.approx(peak, rel=0.25)
    assert not bank.pulse(FARTHEST_M + 1).any()


def test_geophone_response_equals_its_filter_and_falls_below_10_hz():
    f_hz = np.array([2.0, 5.0, 10.0, 20.0, 40.0, 60.0])
    geophone = Geophone()
    _, digital = signal.sosfreqz(geophone.sections(), f_hz, fs=FS_HZ)
    analog = np.abs(geophone.response(f_hz))
    assert np.abs(digital) == pytest.approx(analog, rel=0.06)
    # 12 dB per octave below the natural frequency
    assert analog[1] / analog[0] == pytest.approx(6.25, rel=0.25)


def test_walker_passing_is_loudest_at_the_crossing_and_crosses_once():
    scenario = Scenario(
        "line",
        tuple(NodeSpec(f"n{i}", 20.0 * i, 0.0, "s") for i in range(3)),
        actors=(ActorSpec("w", "person", ((20.0, -30.0), (24.0, 30.0)), start_s=5.0, heel=0.2),),
        weather=STILL,
    )
    world = World(scenario, 7)
    truth = world.truth(60.0)
    crossings = truth["crossings"]
    assert len(crossings) == 1
    crossing = crossings[0]
    assert crossing["x_m"] == pytest.approx(22.0)
    assert crossing["t_s"] == pytest.approx(5 + np.hypot(4, 60) / 2 / 1.4, abs=0.01)
    assert crossing["direction_deg"] == pytest.approx(3.8, abs=0.1)
    velocity = np.abs(world.record(60).velocity_m_s["n1"])
    seconds = velocity[: 60 * FS_HZ].reshape(60, FS_HZ).max(axis=1)
    assert abs(int(seconds.argmax()) - crossing["t_s"]) < 5
    assert truth["actors"][0]["path"][0] == [5.0, 20.0, -30.0]


def test_repeated_passes_alternate_and_end_with_the_record():
    walker = ActorSpec(
        "w", "person", ((0.0, -10.0), (0.0, 10.0)), start_s=1.0, every_s=30.0, alternate=True
    )
    nodes = tuple(NodeSpec(f"n{i}", 20.0 * i - 10, 0.0, "s") for i in range(2))
    truth = World(Scenario("repeat", nodes, (), (walker,), STILL), 1).truth(95.0)
    assert [actor["id"] for actor in truth["actors"]] == ["w-1", "w-2", "w-3", "w-4"]
    assert [c["direction_deg"] for c in truth["crossings"]] == [0.0, 180.0, 0.0]


def test_pir_detects_an_actor_that_crosses_its_field_and_none_outside_it():
    near = World(one_node(WALKER), 8).record(70).pir_edges_s["n01"]
    assert 2 <= len(near) <= 20
    assert 25 < near[0] < 45  # within 12 m of the node
    far = ActorSpec("w", "person", ((-40.0, 14.0), (40.0, 14.0)), start_s=5.0)
    behind = ActorSpec("w", "person", ((-40.0, -6.0), (40.0, -6.0)), start_s=5.0)
    for actor in (far, behind):
        assert World(one_node(actor), 8).record(70).pir_edges_s["n01"] == []


def test_vehicle_swells_and_fades():
    car = ActorSpec("v", "vehicle", ((-150.0, 15.0), (150.0, 15.0)), speed_m_s=10.0, start_s=2.0)
    velocity = World(one_node(car), 9).record(34).velocity_m_s["n01"]
    levels = [band_rms(velocity[i * FS_HZ : (i + 4) * FS_HZ]) for i in (2, 15, 28)]
    assert levels[1] > 4 * max(levels[0], levels[2])


@pytest.mark.parametrize("name", ["demo", "quiet_line_of_8", "night_walker_two_nodes"])
def test_built_in_scenario_loads_and_runs(name):
    world = World(load(Path(name)), 1)
    block = world.record(2)
    assert set(block.velocity_m_s) == {node.id for node in world.nodes}
    assert all(v.dtype == np.float32 and v.size == 2 * FS_HZ for v in block.velocity_m_s.values())
    assert {node.sector for node in world.nodes} == {sector.id for sector in world.sectors}


def test_demo_has_a_crossing_in_25_s_and_then_one_about_every_75_s():
    times = [c["t_s"] for c in World(load(Path("demo")), 1).truth(600.0)["crossings"]]
    assert times[0] < 25
    gaps = np.diff(times)
    assert gaps.min() >= 60
    assert gaps.max() <= 90


GOOD = """
[site]
name = "s"
[[node]]
id = "n01"
x_m = 0
y_m = 0
sector = "a"
"""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "site is missing"),
        ("[site", "scenario: "),
        (GOOD.replace("x_m = 0", 'x_m = "0"'), "node 1.x_m: must be a number"),
        (GOOD.replace("x_m = 0", "x_m = nan"), "node 1.x_m: nan is outside"),
        (GOOD.replace("x_m", "x"), "unknown key 'x'"),
        (GOOD + GOOD.split("[[node]]")[1].join(["[[node]]", ""]), "different ids"),
        (GOOD + '[ground]\nsoil = "cheese"', "'cheese' is none of"),
        (GOOD + "[ground]\nexcess_loss_db = [3]", "must be [least, most]"),
        (GOOD + "[ambient]\nwind_m_s = 900", "ambient.wind_m_s: 900 is outside"),
        (GOOD + '[[actor]]\nid = "a"\nclass = "ghost"\npath = [[0, 0], [1, 1]]', "'ghost' is none"),
        (GOOD + '[[actor]]\nid = "a"\nclass = "person"\npath = [[0, 0]]', "needs two points"),
        (GOOD + '[[actor]]\nid = "a"\nclass = "person"\npath = [[0], [1, 1]]', "is no [x_m, y_m]"),
        (GOOD + '[[actor]]\nid = "a"\nclass = "group"\ncount = 99\npath = [[0, 0], [1, 1]]', "99"),
    ],
)
def test_scenario_with_a_fault_is_refused_in_one_line(text, complaint):
    with pytest.raises(SimError) as caught:
        parse(text)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_scenario_that_is_not_there_is_a_user_error(tmp_path):
    with pytest.raises(SimError, match="cannot read scenario"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize("block_s", [0.0, -1.0, 0.0011])
def test_blocks_of_no_whole_samples_are_refused(block_s):
    with pytest.raises(SimError, match="whole number of samples"):
        next(World(one_node(), 1).blocks(block_s))


def test_scenario_name_that_fits_no_topic_is_refused():
    with pytest.raises(SimError, match="name must be 1..16"):
        parse(GOOD.replace('name = "s"', 'name = "a_name_too_long_for_topics"'))
