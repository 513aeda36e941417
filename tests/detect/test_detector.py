# SPDX-License-Identifier: MIT
"""The whole detector: the same everywhere, silent in noise, quick for a walker, no allocation."""

import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sim_hardware.fastpath import simulate_fast
from sim_hardware.virtual import Pace
from sim_hardware.world import World, load
from sim_hardware.world.ambient import Weather
from sim_hardware.world.scenario import ActorSpec, NodeSpec, Scenario
from tests.on_node import ROOT, run_on_node

HERE = Path(__file__).parent / "on_node"
ONSET, UPDATE, END = 1, 2, 3


def on_cpython(script):
    path = f"{ROOT / 'firmware'}:{ROOT / 'sim_hardware/cpython'}"
    done = subprocess.run(
        [sys.executable, script],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def pico_counts(velocity_m_s, seed):
    """As the default Pico W wiring gives them: four 12-bit readings of noise 1 LSB, at 250 Hz."""
    rng = np.random.default_rng(seed)
    lsb = velocity_m_s[::2].astype(np.float64) * 28.8 * 500 / (3.3 / 4096)
    reads = [np.round(2048 + lsb + rng.standard_normal(lsb.size)) for _ in range(4)]
    return (np.clip(reads, 0, 4095).sum(axis=0) - 8192).astype("<i4")


def reports_of(interpreter, scenario, seed, duration_s, folder):
    """Reports of every node as lists: file number, time, phase, onset_ms, class, ..."""
    block = World(scenario, seed).record(duration_s)
    names = []
    for number, velocity in enumerate(block.velocity_m_s.values()):
        path = folder / f"{seed}_{number}.i32"
        pico_counts(velocity, seed * 100 + number).tofile(path)
        names.append(str(path))
    lines = run_on_node(interpreter, HERE / "feed_files.py", *names)
    return [[float(word) for word in line.split()] for line in lines]


def ring_of_nodes(count, radius_m):
    angles = 2 * np.pi * np.arange(count) / count
    return tuple(
        NodeSpec(f"n{i}", float(radius_m * np.sin(a)), float(radius_m * np.cos(a)), "ring")
        for i, a in enumerate(angles)
    )


def test_detector_gives_the_same_on_three_interpreters(micropython, micropython_i386):
    ours = on_cpython(HERE / "vector.py")
    phases = [line.split()[2] for line in ours if line.startswith("report")]
    assert phases[0] == "1"
    assert phases[-1] == "3"
    assert phases.count("1") == 1
    assert run_on_node(micropython, HERE / "vector.py") == ours
    assert run_on_node(micropython_i386, HERE / "vector.py") == ours


def test_detector_in_steady_state_allocates_nothing(micropython, micropython_i386):
    for interpreter in (micropython, micropython_i386):
        reports = run_on_node(interpreter, HERE / "no_allocation.py")
        assert int(reports[0]) >= 3  # onset, updates and end were reported under the lock


def test_detector_in_an_hour_of_weather_stays_silent(micropython, tmp_path):
    """Two nodes, 30 minutes: gusts of 9 m/s, 3 mm/h of rain, falling branches."""
    nodes = tuple(NodeSpec(f"n{i}", 25.0 * i, 0.0, "line") for i in range(2))
    scenario = Scenario("storm", nodes, weather=Weather(120.0, 2.0, 9.0, 3.0), knocks_per_h=20.0)
    assert reports_of(micropython, scenario, 11, 1800, tmp_path) == []


def test_detector_of_a_walker_at_10_m_reports_a_person_in_seconds(micropython, tmp_path):
    start_s = 25.0
    paces = ((-2.0, 0.0), (2.0, 0.0)) * 4  # back and forth in the middle of the ring
    walker = ActorSpec("w", "person", paces, start_s=start_s, speed_m_s=1.3, heel=0.15)
    late, classes = [], []
    for seed in (1, 2, 3):
        scenario = Scenario("ring", ring_of_nodes(8, 10.0), (), (walker,), Weather(100.0))
        rows = reports_of(micropython, scenario, seed, 50, tmp_path)
        assert all(row[1] > start_s for row in rows)
        onsets = {row[0]: row for row in rows if row[2] == ONSET}
        late += [onsets[n][1] - start_s if n in onsets else 99.0 for n in range(8)]
        classes += list({row[0]: row[4] for row in rows}.values())
    assert set(classes) <= {1, 2}  # on foot
    assert classes.count(1) >= 0.8 * len(classes)
    assert np.mean([t < 99 for t in late]) >= 0.8
    assert statistics.median(late) < 6.0


def test_detector_of_the_first_walker_after_a_start_names_no_other_kind(micropython):
    scenario = load(Path("bench_walker"))
    pace = Pace(lead_s=0.5, settle_s=1.0)  # power comes 8.5 s before the walker
    for seed in range(1, 13):
        take = World(scenario, seed).take(30.0)
        reports = simulate_fast(take, micropython=micropython, seed=seed, pace=pace)["n01"].reports
        names = [report.class_id for report in reports]
        assert names, seed
        assert set(names) <= {0, 1, 2}, (seed, names)
        assert names[1] == 1, (seed, names)


def test_detector_of_one_pass_reports_onset_updates_and_one_end(micropython, tmp_path):
    walker = ActorSpec("w", "person", ((-25.0, 4.0), (25.0, 4.0)), start_s=10.0, heel=0.2)
    scenario = Scenario(
        "pass",
        (NodeSpec("n0", 0.0, 0.0, "s"),),
        (),
        (walker,),
        excess_loss_db=(0.0, 0.0),
        coupling_db=0.0,
    )
    rows = reports_of(micropython, scenario, 5, 75, tmp_path)
    phases = [row[2] for row in rows]
    assert phases[0] == ONSET
    assert phases[-1] == END
    assert phases[1:-1] == [UPDATE] * (len(phases) - 2)
    assert len(phases) >= 5
    assert len({row[3] for row in rows}) == 1  # one onset time names the activity
    assert 10_000 <= rows[0][3] <= rows[0][1] * 1000
    gaps = np.diff([row[1] for row in rows])[1:-1]
    assert gaps.min() > 4.5
    # 1.85 steps per second, unit 0.05 Hz
    assert rows[1][7] / 20 == pytest.approx(1.85, abs=0.4)
    peaks = [row[6] for row in rows]  # each since the report before: he came near and went
    assert peaks[0] < max(peaks) > peaks[-1]
