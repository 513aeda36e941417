# SPDX-License-Identifier: MIT
"""Weather over time, PIRs in the heat, and recordings as the ground."""

import numpy as np
import pytest
from scipy import signal

from sim_hardware.errors import SimError
from sim_hardware.signals import quiet_floor
from sim_hardware.world import World, parse
from sim_hardware.world.ambient import Weather
from sim_hardware.world.geophone import FS_HZ
from sim_hardware.world.scenario import ActorSpec, NodeSpec, Scenario
from sim_hardware.world.warmth import PirWeather, reach
from sim_hardware.world.weather import Change

NODE = NodeSpec("n01", 0.0, 0.0, "s", pir_azimuth_deg=0.0, pir_range_m=12.0)


def record(weather, seconds, seed=1):
    scenario = Scenario("one", (NODE,), weather=weather)
    return 1e9 * World(scenario, seed).record(seconds).velocity_m_s["n01"].astype(np.float64)


def band_rms(data, low_hz=8, high_hz=60):
    sos = signal.butter(2, [low_hz, high_hz], "band", fs=FS_HZ, output="sos")
    return float(np.sqrt(np.mean(signal.sosfilt(sos, data) ** 2)))


def test_weather_changes_in_straight_lines_between_its_rows():
    weather = Weather(100.0, 0.0, 2.0, changes=(Change(100.0, 12.0, 8.0), Change(200.0, 2.0, 0.0)))
    assert weather.at(0.0).wind_m_s == 2.0
    assert weather.at(50.0).wind_m_s == pytest.approx(7.0)
    assert weather.at(50.0).rain_mm_h == pytest.approx(4.0)
    assert weather.at(300.0).wind_m_s == 2.0
    data = record(weather, 240)
    calm, storm = data[: 20 * FS_HZ], data[90 * FS_HZ : 110 * FS_HZ]
    assert band_rms(storm) > 2 * band_rms(calm)
    spans = [(c["t0_s"], c["t1_s"], c["level"]) for c in weather.conditions(240.0)][:3]
    assert [(a, b) for a, b, _ in spans] == [(0.0, 100.0), (100.0, 200.0), (200.0, 240.0)]
    assert [level for _, _, level in spans] == pytest.approx([7.0, 7.0, 2.0], abs=0.01)


def test_day_is_louder_than_night():
    noon = record(Weather(100.0, 0.0, 0.0, day_night_db=11.0, start_h=14.0), 40)
    night = record(Weather(100.0, 0.0, 0.0, day_night_db=11.0, start_h=2.0), 40)
    assert 20 * np.log10(band_rms(noon) / band_rms(night)) == pytest.approx(11.0, abs=0.8)


@pytest.mark.parametrize(("rain_mm_h", "low_db", "high_db"), [(1.5, 1, 15), (20.0, 10, 28)])
def test_rain_lifts_the_high_band_by_as_much_as_measured(rain_mm_h, low_db, high_db):
    """5..24 dB in 100..200 Hz for 1.5..20 mm/h; here at the edge of what the front end passes."""
    dry, wet = (record(Weather(60.0, 0.0, 0.0, rain), 60) for rain in (0.0, rain_mm_h))
    lift_db = 20 * np.log10(band_rms(wet, 80, 120) / band_rms(dry, 80, 120))
    assert low_db < lift_db < high_db


def test_gusts_are_log_normal_and_shared_by_the_nodes():
    nodes = tuple(NodeSpec(f"n{i}", 30.0 * i, 0.0, "s") for i in range(2))
    world = World(Scenario("two", nodes, weather=Weather(5.0, 0.0, 12.0)), 3)
    data = world.record(600).velocity_m_s
    levels = [v.reshape(600, FS_HZ).std(axis=1) for v in data.values()]
    for level in levels:
        assert 0.3 < level.std() / level.mean() < 1.1  # measured: 0.5..0.9
    logs = np.log(levels)
    assert np.corrcoef(logs)[0, 1] > 0.4


def pir_edges(air_c, y_m, seeds=6, **weather):
    walker = ActorSpec("w", "person", ((-20.0, y_m), (20.0, y_m)), start_s=2.0)
    total = 0
    for seed in range(seeds):
        scenario = Scenario(
            "one", (NODE,), (), (walker,), Weather(), pir_weather=PirWeather(air_c, **weather)
        )
        total += len(World(scenario, seed).record(40).pir_edges_s["n01"])
    return total


def test_pir_has_less_range_in_the_heat():
    assert pir_edges(12.0, 10.0) > 0
    assert pir_edges(29.0, 10.0) == 0
    assert pir_edges(29.0, 4.0) > 0
    assert pir_edges(34.0, 2.0) == 0


def test_reach_of_a_pir_is_12_m_at_10_k_and_half_of_it_at_3():
    reaches = [12 * reach(34 - 10 / 0.55, f"b{i}", [1]) for i in range(200)]
    assert np.mean(reaches) == pytest.approx(12, rel=0.05)
    reaches = [12 * reach(34 - 3 / 0.55, f"b{i}", [1]) for i in range(200)]
    assert 5 < np.mean(reaches) < 6.5


def test_dog_is_detected_by_a_pir_at_half_the_distance_of_a_person():
    hits = {}
    for kind in ("dog", "walker"):
        actor = ActorSpec(
            "a",
            "animal" if kind == "dog" else "person",
            ((-15.0, 8.0), (15.0, 8.0)),
            1.0,
            kind=kind,
        )
        world = World(Scenario("one", (NODE,), (), (actor,)), 4)
        hits[kind] = len(world.record(30).pir_edges_s["n01"])
    assert hits["dog"] == 0 < hits["walker"]


def test_sun_and_plants_trigger_a_pir_as_often_as_configured():
    counts = {}
    for name, wind_m_s in (("sun_per_h", 5.0), ("plants_per_h", 10.0), ("plants_per_h", 1.0)):
        weather = PirWeather(20.0, **{name: 120.0})
        scenario = Scenario("one", (NODE,), weather=Weather(100, 0, wind_m_s), pir_weather=weather)
        edges = World(scenario, 2).record(600).pir_edges_s["n01"]
        assert edges == sorted(edges)
        counts[name, wind_m_s] = len(edges) / 2
    assert 12 <= counts["sun_per_h", 5.0] <= 45  # 20 ramps of 1..3 pulses
    assert counts["plants_per_h", 10.0] > 5 * counts["plants_per_h", 1.0]


def scenario_on(path, level_nm_s=100):
    return parse(
        f'[site]\nname = "s"\n[line]\nnodes = 2\nspacing_m = 20\n'
        f'[ambient]\nlevel_nm_s = {level_nm_s}\nrecording = "{path.name}"\n',
        folder=path.parent,
    )


def test_recording_becomes_the_ambient_of_each_node(tmp_path):
    rng = np.random.default_rng(1)
    t_s = np.arange(40 * 250) / 250
    counts = rng.normal(0, 300, t_s.size) + 900 * np.sin(2 * np.pi * 33 * t_s)
    path = tmp_path / "field.npz"
    np.savez(path, counts=counts.astype(np.int32), fs_hz=250.0, t0_utc_s=0.0)
    world = World(scenario_on(path, 80), 1)
    data = world.record(90).velocity_m_s
    for velocity in data.values():
        f_hz, power = signal.welch(velocity, FS_HZ, nperseg=2048)
        assert f_hz[np.argmax(power)] == pytest.approx(33, abs=0.3)
        assert 1e9 * quiet_floor(velocity, FS_HZ) == pytest.approx(80, rel=0.05)
    first, second = data.values()
    assert not np.array_equal(first, second)  # each node starts elsewhere in it
    again = World(scenario_on(path, 80), 1).record(90).velocity_m_s
    assert np.array_equal(again["n01"], data["n01"])


def test_recording_that_is_none_or_too_short_is_a_user_error(tmp_path):
    with pytest.raises(SimError, match="no such recording"):
        World(scenario_on(tmp_path / "none.npz"), 1)
    short = tmp_path / "short.npz"
    np.savez(short, counts=np.arange(500, dtype=np.int32), fs_hz=250.0, t0_utc_s=0.0)
    with pytest.raises(SimError, match="4 s or more"):
        World(scenario_on(short), 1)
