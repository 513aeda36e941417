# SPDX-License-Identifier: MIT
"""The real firmware where work costs time, compared with the emulated Pico W."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sim_hardware.sandbox import Faults
from sim_hardware.take import Take
from sim_hardware.virtual import Pace, VirtualRun, simulate
from sim_hardware.world import World, parse
from tools.trees import write_trees

WALK = """
[site]
name = "charged"
[line]
nodes = 1
spacing_m = 25
[[actor]]
id = "w"
kind = "walker"
path = [[5, -30], [5, 30]]
start_s = 15
heel = 0.2
"""
NODE = "n01"


@pytest.fixture(scope="module")
def walk() -> Take:
    """One node, one walker."""
    return World(parse(WALK), 2).take(60.0)


@pytest.fixture
def board_micropython(request: pytest.FixtureRequest) -> Path:
    """The 32-bit build, whose objects have the size of the board's."""
    path: Path = request.getfixturevalue("micropython_i386")
    return path


def run(
    given: Take, folder: Path, interpreter: Path, faults: Faults | None = None, **more: Any
) -> VirtualRun:
    trees = write_trees(given.site, bytes(32), 1883, folder / "trees", interpreter)
    own = {NODE: faults or Faults()}
    pace = Pace(settle_s=15.0)
    return simulate(given, trees, micropython=interpreter, pace=pace, faults=own, **more)


def test_charged_node_costs_little_more_than_the_smaller_one_on_the_emulated_pico_w(
    walk: Take, tmp_path: Path, board_micropython: Path
) -> None:
    result = run(walk, tmp_path, board_micropython, charges="typical")
    (boot,) = result.costs[NODE]
    # The table of costs is of an earlier firmware, compiled, on 1.25.0: 1.5 s without a feed, a
    # collection of 10.9 ms. Today's feeds within 2.2 s there and has 95.8 kB free at the start.
    assert 1_500_000 <= boot["unfed_us_max"] <= 2_000_000
    assert 8_000 <= boot["collect_us"] / boot["collections"] <= 14_500
    (start,) = [line for line in result.logs[NODE].lines if line.startswith("node started")]
    assert 94_000 <= int(start.rpartition("=")[2]) <= 103_000
    # The timer is scheduled: what comes due during a collection is read late and counted good.
    assert boot["timer_late"] > boot["collections"] > 50
    assert result.made


def test_node_without_charges_loses_nothing(
    walk: Take, tmp_path: Path, board_micropython: Path
) -> None:
    free = run(walk, tmp_path / "free", board_micropython)
    assert free.costs[NODE] == []
    charged = run(walk, tmp_path / "charged", board_micropython, charges="typical")
    worst = run(walk, tmp_path / "worst", board_micropython, charges="worst")
    assert charged.costs[NODE][0]["timer_late_us_max"] > 20_000
    assert worst.costs[NODE][0]["erase_us"] > charged.costs[NODE][0]["erase_us"] > 0


def test_erases_and_collections_cost_no_sample_where_the_converter_runs_by_itself(
    walk: Take, tmp_path: Path, board_micropython: Path
) -> None:
    result = run(walk, tmp_path, board_micropython, charges="worst", analogue=True)
    (boot,) = result.costs[NODE]
    assert boot["erases"] > 0 and boot["collections"] > 50
    assert boot["timer_calls"] == 0
    lines = list(result.logs[NODE].lines)
    assert not [line for line in lines if line.startswith("task failed")]
    reported = [line for line in lines if line.startswith("sampling")]
    assert re.search(r"rate_hz_x100=2(499|500)\d missed=0 overruns=0 clipped=0", reported[-1])
    assert result.made


def test_charged_run_repeats_byte_for_byte_wherever_its_files_are(
    walk: Take, tmp_path: Path, board_micropython: Path
) -> None:
    first = run(walk, tmp_path / "a", board_micropython, charges="typical")
    second = run(walk, tmp_path / ("long" * 9), board_micropython, charges="typical")
    assert second.uplinks == first.uplinks
    assert second.costs == first.costs


def test_power_that_flickers_starts_the_node_once_for_each_return(
    walk: Take, tmp_path: Path, board_micropython: Path
) -> None:
    off = tuple((20 + 2.5 * i, 20.5 + 2.5 * i) for i in range(3))
    result = run(walk, tmp_path, board_micropython, Faults(power_off_s=off), charges="typical")
    assert result.restarts[NODE] == 3
    assert [boot["cause"] for boot in result.costs[NODE]] == ["power_on"] * 3 + ["end"]
    # 0.3 s until the first line, so 1.7 s of each 2 s are the node's.
    assert [boot["uptime_us"] for boot in result.costs[NODE][1:3]] == [1_700_000] * 2


def test_weak_cell_sags_when_the_radio_starts_and_the_board_starts_again(
    walk: Take, tmp_path: Path, board_micropython: Path
) -> None:
    weak = Faults(battery_mv=3300, battery_mohm=6_000)
    result = run(walk, tmp_path, board_micropython, weak, charges="typical")
    assert result.restarts[NODE] > 10
    assert not result.uplinks
    assert "sim: supply too low for the radio: reset" in result.logs[NODE].lines
    assert (
        run(walk, tmp_path / "b", board_micropython, Faults(battery_mohm=500)).restarts[NODE] == 0
    )


def test_battery_below_what_the_board_needs_keeps_it_off_until_it_is_charged(
    walk: Take, tmp_path: Path, board_micropython: Path
) -> None:
    curve = ((0.0, 3700.0), (20.0, 3700.0), (21.0, 1000.0), (40.0, 1000.0), (41.0, 3700.0))
    result = run(walk, tmp_path, board_micropython, Faults(battery_curve=curve))
    assert result.restarts[NODE] == 1
    quiet = [u for u in result.uplinks if 22_000_000 < u.t_us < 40_000_000]
    assert not quiet
    assert [u for u in result.uplinks if u.t_us > 41_000_000]


@pytest.mark.parametrize("fault", ["wrong_passphrase_s", "dhcp_away_s", "outages_s"])
def test_node_that_cannot_join_sends_once_it_can(
    fault: str, walk: Take, tmp_path: Path, board_micropython: Path
) -> None:
    result = run(walk, tmp_path, board_micropython, Faults(**{fault: ((-10.0, 30.0),)}))
    assert result.uplinks
    assert min(u.t_us for u in result.uplinks) > 30_000_000
    assert any("cannot join" in line for line in result.logs[NODE].lines)


@pytest.mark.parametrize("fault", ["dead_radio_s", "half_open_s"])
def test_half_open_connection_is_closed_after_its_silence(
    fault: str, walk: Take, tmp_path: Path, board_micropython: Path
) -> None:
    result = run(walk, tmp_path, board_micropython, Faults(**{fault: ((10.0, 25.0),)}))
    between = [u for u in result.uplinks if 10_200_000 < u.t_us < 25_000_000]
    assert not between
    failed = [line for line in result.logs[NODE].lines if line.startswith("link failed")]
    assert failed
    # No detection is lost: the next connection carries it.
    assert [u for u in result.uplinks if u.t_us > 25_000_000]
