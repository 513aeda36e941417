# SPDX-License-Identifier: MIT
"""Declared faults: they are part of a take and take effect in the nodes that run on it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway import keys
from gateway.wire import codec, seal
from gateway.wire.messages import Health
from sim_hardware import take as takes
from sim_hardware.crystal import Crystal
from sim_hardware.errors import SimError
from sim_hardware.fault_tables import faults_of, to_tables
from sim_hardware.sandbox import Faults
from sim_hardware.take import Take
from sim_hardware.virtual import Pace, VirtualRun, simulate
from sim_hardware.world import World, parse
from tools.trees import write_trees

ROOT = bytes(32)
PLAIN = """
[site]
name = "faulty"
[line]
nodes = 2
spacing_m = 25
[[actor]]
id = "w"
kind = "walker"
path = [[5, -30], [5, 30]]
start_s = 5
heel = 0.2
"""


def run(given: Take, folder: Path, interpreter: Path, settle_s: float = 15.0) -> VirtualRun:
    trees = write_trees(given.site, ROOT, 1883, folder, interpreter)
    return simulate(given, trees, micropython=interpreter, seed=1, pace=Pace(settle_s=settle_s))


def messages(result: VirtualRun, node: str) -> list[object]:
    found = []
    for uplink in result.uplinks:
        if uplink.node == node:
            own = keys.derive(keys.node_key(ROOT, "faulty", node))
            aad = uplink.topic.encode()
            _, plain = seal.open_sealed(own.up_key, own.up_iv, uplink.payload, aad)
            found.append(codec.decode(plain))
    return found


def world_take(tables: str, seconds: float = 60.0) -> Take:
    return World(parse(PLAIN + tables), 2).take(seconds)


def test_faults_in_the_truth_of_a_take_are_saved_and_loaded(tmp_path: Path) -> None:
    given = world_take(
        '[[fault]]\nnode = "n02"\nloss_pct = 5\nclock_ppm = -40.5\noutages_s = [[1, 2], [3, 4.5]]\n'
        "battery_curve = [[0, 4000], [9, 3000]]\ntamper_edges_s = [2, 5]\ndead_from_s = 50\n",
        2.0,
    )
    takes.save(given, tmp_path / "take")
    loaded = takes.load(tmp_path / "take")
    assert faults_of(loaded.truth, ["n01", "n02"]) == {
        "n02": Faults(
            outages_s=((1.0, 2.0), (3.0, 4.5)),
            tamper_edges_s=(2.0, 5.0),
            loss_pct=5,
            dead_from_s=50,
            battery_curve=((0.0, 4000.0), (9.0, 3000.0)),
            clock_ppm=-40.5,
        )
    }
    assert faults_of({"version": 1}, ["n01"]) == {} == faults_of(None, ["n01"])


def test_flickers_read_become_times_without_power() -> None:
    tables = [{"node": "n01", "flickers": [[10, 3, 2, 0.5], [60, 1, 1, 1]], "battery_mohm": 400}]
    own = faults_of({"faults": tables}, ["n01"])["n01"]
    assert own.power_off_s == ((10.0, 10.5), (12.5, 13.0), (15.0, 15.5), (60.0, 61.0))
    assert own.battery_mohm == 400
    table = "[[fault]]\nnode = 'n01'\nflickers = [[10, 2, 2, 0.5]]\n"
    again = to_tables(parse(PLAIN + table).node_faults)
    assert again == [{"node": "n01", "power_off_s": [[10.0, 10.5], [12.5, 13.0]]}]


@pytest.mark.parametrize(
    "tables",
    [
        7,
        [{"node": "n01", "flickers": [[1, 2, 3]]}],
        [{"node": "n01", "flickers": [[1, 0, 3, 1]]}],
        [{"node": "n01", "flickers": [[1, 2, 0, 1]]}],
        [{"node": "n01", "flickers": [[5, 3, 2, 1], [6, 1, 1, 1]]}],
        [{"node": "n01", "flickers": [[1, 2, 3, 1]], "power_off_s": [[1, 2]]}],
        [{"node": "n01", "dns_away_s": [[2, 1]]}],
        [{"node": "n01", "half_open_s": [3]}],
        [{"node": "n01", "battery_mohm": -1}],
        [7],
        [{"node": 3}],
        [{"node": "n09"}],
        [{"node": "n01", "surprise": 1}],
        [{"node": "n01", "outages_s": [[0, "x"]]}],
        [{"node": "n01", "clock_ppm": float("nan")}],
        [{"node": "n01", "battery_curve": []}],
        [{"node": "n01"}] * 2,
    ],
)
def test_invalid_faults_in_a_truth_are_refused(tables: object) -> None:
    with pytest.raises(SimError):
        faults_of({"faults": json.loads(json.dumps(tables))}, ["n01"])


def test_dead_node_stops_sending_and_the_other_node_continues(
    tmp_path: Path, micropython: Path
) -> None:
    result = run(world_take('[[fault]]\nnode = "n01"\ndead_from_s = 12\n'), tmp_path, micropython)
    last = {uplink.node: uplink.t_us / 1e6 for uplink in result.uplinks}
    assert last["n01"] <= 12 < 30 < last["n02"]


def test_node_with_a_cut_geophone_cable_sends_and_detects_no_person(
    tmp_path: Path, micropython: Path
) -> None:
    given = world_take('[[fault]]\nnode = "n01"\ndeaf_from_s = 0\n')
    assert not given.signals["n01"].velocity_m_s.any()
    result = run(given, tmp_path, micropython)
    assert {made.node for made in result.made} == {"n02"} or not result.made
    assert len(messages(result, "n01")) >= 2


def test_battery_that_discharges_is_reported(tmp_path: Path, micropython: Path) -> None:
    curve = "battery_curve = [[-10, 3900], [30, 3900], [90, 3300]]"
    with pytest.raises(SimError, match="must be a list of times"):
        world_take(f'[[fault]]\nnode = "n01"\n{curve}\n')
    given = world_take(f'[[fault]]\nnode = "n01"\n{curve.replace("-10", "0")}\n', 150.0)
    result = run(given, tmp_path, micropython)
    reported = [m.battery_mv for m in messages(result, "n01") if isinstance(m, Health)]
    assert reported[0] == pytest.approx(3900, abs=25)
    assert reported[-1] == pytest.approx(3300, abs=25)
    assert any("low_battery" in line for line in result.logs["n01"].lines)
    assert not any("low_battery" in line for line in result.logs["n02"].lines)


def test_clock_that_runs_fast_counts_more_than_true_time(tmp_path: Path, micropython: Path) -> None:
    plain = world_take("", 150.0)
    drifting = replace(plain, truth={"version": 1, "faults": [{"node": "n01", "clock_ppm": 500.0}]})
    stamps = {}
    for name, given in (("true", plain), ("fast", drifting)):
        result = run(given, tmp_path / name, micropython)
        sent = [u.t_us for u in result.uplinks if u.node == "n01"]
        shown = [m.t_ms for m in messages(result, "n01") if isinstance(m, Health)]
        at = [
            t for t, m in zip(sent, messages(result, "n01"), strict=True) if isinstance(m, Health)
        ]
        stamps[name] = (at[-1] - at[0]) / 1000, shown[-1] - shown[0]
    passed_ms, counted_ms = stamps["true"]
    assert counted_ms == pytest.approx(passed_ms, abs=10)
    passed_ms, counted_ms = stamps["fast"]
    assert passed_ms > 60_000
    assert (counted_ms / passed_ms - 1) * 1e6 == pytest.approx(500, abs=100)


def test_crystal_off_frequency_resamples_waves_and_converts_times_both_ways() -> None:
    t_s = np.arange(20_000) / 250
    feed = np.rint(1e6 * np.sin(2 * np.pi * 40 * t_s)).astype(np.int32)
    fast = Crystal(400.0)
    resampled = fast.resampled(feed, 0)
    expected = 1e6 * np.sin(2 * np.pi * 40 * t_s / (1 + 400e-6))
    assert np.abs(resampled - expected)[100:-100].max() < 0.03e6
    assert fast.true_us(round(fast.shows(1000.0) * 1e6)) == 1_000_000_000
    assert Crystal().resampled(feed, 0) is feed


def test_fault_tables_written_hold_only_values_other_than_the_default() -> None:
    scenario = parse(PLAIN + '[[fault]]\nnode = "n01"\nloss_pct = 9\n')
    assert to_tables(scenario.node_faults) == [{"node": "n01", "loss_pct": 9}]
