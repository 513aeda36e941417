# SPDX-License-Identifier: MIT
"""Ground motion is no fault of a sensor, over hours of worlds; and the weakest faults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sim_hardware.fastpath import Halver
from sim_hardware.frontend import GeophoneArray
from sim_hardware.parts.front_end import BOARDS
from sim_hardware.world import World, load
from sim_hardware.world.scenario import SCENARIOS
from tests.drivers import reference, test_decimate, test_fir
from tests.on_node import run_on_node

WATCH = Path(__file__).parent / "on_node" / "watch.py"
OWN_X16 = 32
CLIP = {"pico_w": 8_000, "esp32": 131_071}
CUT, SHORTED, SATURATED, HUM, NOISE, STUCK = range(1, 7)
Counts = NDArray[np.int32]


def of_board(board: str, nm_s: NDArray[np.int32], seed: int = 0) -> Counts:
    """Counts (n,) of the front end with a healthy geophone, for ground in nm/s at 250 Hz."""
    if board == "pico_w":
        return GeophoneArray(seed).counts(nm_s)
    front = BOARDS["esp32"]
    noise = np.random.default_rng(seed).normal(0, OWN_X16 / 16, nm_s.size)
    counts = nm_s / front.nm_s_per_count() + front.well_counts() + noise
    return np.clip(np.floor(counts), -131_072, 131_071).astype(np.int32)


def faults(micropython: Path, folder: Path, board: str, counts: Counts) -> list[tuple[int, int]]:
    """(second, fault) of each change that the node sees."""
    path, front = folder / "counts.i32", BOARDS[board]
    counts.astype("<i4").tofile(path)
    numbers = (
        round(256 * front.nm_s_per_count()),
        OWN_X16,
        round(front.short_limit_counts()),
        round(front.cut_limit_counts()),
        CLIP[board],
    )
    lines = run_on_node(micropython, WATCH, str(path), *map(str, numbers), timeout_s=300)
    assert int(lines[0]) == counts.size // 250
    return [(int(second), int(fault)) for second, fault in map(str.split, lines[1:])]


def world_nm_s(name: str, seconds: float, seed: int) -> NDArray[np.int32]:
    """The ground at the first node of a scenario, as its front end gets it."""
    world, halver = World(load(SCENARIOS / f"{name}.toml"), seed), Halver()
    node = world.nodes[0].id
    parts = []
    blocks = world.blocks(10.0)
    for _ in range(round(seconds / 10)):
        parts.append(halver.push(next(blocks).velocity_m_s[node]))
    return np.concatenate(parts)


@pytest.mark.parametrize("board", ["pico_w", "esp32"])
@pytest.mark.parametrize(
    "name", ["quiet_week", "walker_in_rain", "walker_in_storm", "quake_and_blast", "thunder"]
)
def test_ground_that_is_loud_or_quiet_is_no_fault(
    name: str, board: str, micropython: Path, tmp_path: Path
) -> None:
    ground = world_nm_s(name, 200.0, 4)
    assert faults(micropython, tmp_path, board, of_board(board, ground)) == []


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(path.stem for path in SCENARIOS.glob("*.toml")))
def test_hour_of_any_scenario_is_no_fault(name: str, micropython: Path, tmp_path: Path) -> None:
    ground = world_nm_s(name, 3_600.0, 11)
    for board in CLIP:
        assert faults(micropython, tmp_path, board, of_board(board, ground)) == [], board


@pytest.mark.parametrize("board", ["pico_w", "esp32"])
def test_ground_without_any_motion_is_no_fault(
    board: str, micropython: Path, tmp_path: Path
) -> None:
    still = np.zeros(250 * 60, np.int32)
    assert faults(micropython, tmp_path, board, of_board(board, still)) == []


@pytest.mark.parametrize("board", ["pico_w", "esp32"])
@pytest.mark.parametrize("grid_hz", [49.8, 50.0, 50.2, 59.9, 60.0])
def test_hum_counts_from_two_um_s_on_and_below_one_it_does_not(
    grid_hz: float, board: str, micropython: Path, tmp_path: Path
) -> None:
    t_s = np.arange(250 * 30) / 250
    rng = np.random.default_rng(2)
    for peak_um_s, expected in ((1.0, []), (2.0, [HUM])):
        wave = np.sin(2 * np.pi * grid_hz * t_s) + 0.3 * np.sin(4 * np.pi * grid_hz * t_s)
        ground = np.rint(1_000 * peak_um_s * wave + rng.normal(0, 100, t_s.size)).astype(np.int32)
        found = faults(micropython, tmp_path, board, of_board(board, ground))
        assert [fault for _, fault in found] == expected, peak_um_s
        assert all(second <= 8 for second, _ in found)


def behind_filter(board: str, nm_s: NDArray[np.float64]) -> Counts:
    """Counts of noise as the converter reads it, behind the node's own filter."""
    front = BOARDS[board]
    if board == "pico_w":
        # Readings of 12 bits, a quarter of a count.
        codes = np.round(2048 + (nm_s / front.nm_s_per_count() + front.well_counts()) / 4)
        samples = reference.samples(codes.astype(np.int64), test_decimate.TAPS)
        return np.asarray(samples[reference.SETTLE :], np.int32)
    counts = np.round(nm_s / front.nm_s_per_count() + front.well_counts())
    return np.asarray(test_fir.samples(counts.astype(np.int64)), np.int32)


@pytest.mark.parametrize("board", ["pico_w", "esp32"])
def test_white_noise_is_a_fault_behind_the_filter_of_the_board(
    board: str, micropython: Path, tmp_path: Path
) -> None:
    fs_hz = BOARDS[board].fs_hz
    for seed, rms_nm_s, expected in ((1, 3_000, []), (2, 15_000, [NOISE]), (3, 15_000, [NOISE])):
        noise = np.random.default_rng(seed).normal(0, rms_nm_s, 40 * fs_hz)
        # It starts in the middle of a second, whose level is then lower.
        noise[: round(5.6 * fs_hz)] /= 100
        found = faults(micropython, tmp_path, board, behind_filter(board, noise))
        assert [fault for _, fault in found] == expected, seed
        assert all(second <= 14 for second, _ in found)


@pytest.mark.parametrize("board", ["pico_w", "esp32"])
def test_fault_ends_when_the_signal_is_normal_again(
    board: str, micropython: Path, tmp_path: Path
) -> None:
    counts = of_board(board, np.zeros(250 * 40, np.int32))
    front = BOARDS[board]
    counts[2_500:5_000] += round(front.cut_counts() - front.well_counts())
    assert faults(micropython, tmp_path, board, counts) == [(13, CUT), (23, 0)]


@pytest.mark.parametrize("board", ["pico_w", "esp32"])
def test_vehicle_that_clips_and_one_tone_of_a_few_seconds_are_no_fault(
    board: str, micropython: Path, tmp_path: Path
) -> None:
    t_s = np.arange(250 * 40) / 250
    clipping = 400_000 * np.sin(2 * np.pi * 11 * t_s) * (t_s > 10)
    tone = 20_000 * np.sin(2 * np.pi * 50 * t_s) * ((t_s > 20) & (t_s < 24))
    for ground in (clipping, tone):
        counts = of_board(board, np.rint(ground).astype(np.int32))
        assert faults(micropython, tmp_path, board, counts) == []
