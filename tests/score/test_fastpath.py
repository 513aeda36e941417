# SPDX-License-Identifier: MIT
"""The fast path reports what the whole firmware reports, integer by integer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from gateway.keys import derive, node_key
from gateway.wire import codec, seal
from gateway.wire.messages import Footfalls, Phase, TargetClass
from sim_hardware.errors import SimError
from sim_hardware.fastpath import Halver, simulate_fast
from sim_hardware.frontend import READINGS, GeophoneArray
from sim_hardware.parts import noise
from sim_hardware.sandbox import Faults, node_seed
from sim_hardware.signals import to_feed
from sim_hardware.site import NodeSpec, Site
from sim_hardware.take import Take
from sim_hardware.virtual import Pace, simulate
from sim_hardware.world import World, load
from tools.trees import write_trees


@pytest.mark.parametrize(
    ("scenario", "seconds", "seed"),
    [("night_walker_two_nodes", 110, 5), pytest.param("demo", 75, 11, marks=pytest.mark.long)],
)
def test_fast_path_on_a_take_reports_what_the_firmware_reports(
    tmp_path: Path, micropython: Path, scenario: str, seconds: int, seed: int
) -> None:
    given = World(load(Path(scenario)), seed).take(seconds)
    fast = simulate_fast(given, micropython=micropython, seed=seed)
    trees = write_trees(given.site, bytes(32), 1883, tmp_path)
    full = simulate(given, trees, micropython=micropython, seed=seed)
    reported = sorted(
        (
            report.node,
            report.onset_ms,
            Phase(report.phase).label,
            TargetClass(report.class_id).label,
            report.confidence_pct,
            report.peak_um_s_x100,
        )
        for output in fast.values()
        for report in output.reports
    )
    made = sorted(
        (m.node, m.onset_ms, m.phase, m.class_name, m.confidence_pct, m.peak_um_s_x100)
        for m in full.made
    )
    assert len(made) >= 10
    assert reported == made


def test_fast_path_on_a_take_reports_the_footfalls_that_the_firmware_reports(
    tmp_path: Path, micropython: Path
) -> None:
    given = World(load(Path("night_walker_two_nodes")), 5).take(110)
    fast = simulate_fast(given, micropython=micropython, seed=5)
    trees = write_trees(given.site, bytes(32), 1883, tmp_path)
    for node, found in reported_footfalls(given, trees, micropython).items():
        fast_ones = [
            (ms - LEAD_MS, level) for one in fast[node].footfalls for ms, level in one.footfalls
        ]
        assert len(found) >= 20
        assert [level for _, level, _ in found] == [level for _, level in fast_ones][: len(found)]
        for (at_ms, _, _), (true_ms, _) in zip(found, fast_ones, strict=False):
            assert abs(at_ms - true_ms) <= 6
        assert len(fast_ones) - len(found) <= 8  # the last ones of a walk are not reported


@pytest.mark.parametrize("ppm", [-45.0, 45.0])
def test_footfalls_by_a_crystal_that_is_off_are_within_their_stated_error(
    tmp_path: Path, micropython: Path, ppm: float
) -> None:
    given = World(load(Path("night_walker_two_nodes")), 5).take(110)
    fast = simulate_fast(given, micropython=micropython, seed=5)
    trees = write_trees(given.site, bytes(32), 1883, tmp_path)
    for node, found in reported_footfalls(given, trees, micropython, ppm).items():
        true_ms = [ms - LEAD_MS for one in fast[node].footfalls for ms, _ in one.footfalls]
        offs = [
            (min((at_ms - ms for ms in true_ms), key=abs), error_ms) for at_ms, _, error_ms in found
        ]
        same = [(off_ms, error_ms) for off_ms, error_ms in offs if abs(off_ms) < 100]
        # Other samples of the same ground: a pick in twenty is of another ripple.
        right = sum(abs(off_ms) <= error_ms + 4 for off_ms, error_ms in same)
        assert len(found) >= 20 and right >= 0.9 * len(found)
        assert {error_ms for _, error_ms in same} <= set(range(4, 11))


LEAD_MS = 10_000


def reported_footfalls(
    given: Take, trees: Mapping[str, Path], micropython: Path, ppm: float = 0.0
) -> dict[str, list[tuple[int, int, int]]]:
    """By the whole firmware over a link of two milliseconds: (ms of the take, level, bound)."""
    faults = {node.id: Faults(clock_ppm=ppm) for node in given.nodes}
    full = simulate(
        given, trees, micropython=micropython, seed=5, pace=Pace(way_ms=2), faults=faults
    )
    keys = {node.id: derive(node_key(bytes(32), given.site.name, node.id)) for node in given.nodes}
    made: dict[str, list[tuple[int, int, int]]] = {node: [] for node in keys}
    for uplink in full.uplinks:
        own = keys[uplink.node]
        aad = uplink.topic.encode()
        _piv, payload = seal.open_sealed(own.up_key, own.up_iv, uplink.payload, aad)
        message = codec.decode(payload, "up")
        if isinstance(message, Footfalls):
            assert message.error_ms <= 10
            first_us = message.utc_ms * 1000 - 1_767_225_600_000_000
            assert 0 < uplink.t_us - first_us < 8_000_000
            pairs = zip(message.footfalls[::2], message.footfalls[1::2], strict=True)
            made[uplink.node] += [
                (first_us // 1000 + late_ms, level, message.error_ms) for late_ms, level in pairs
            ]
    return made


def reading(nm_s: int, noise_x256: int) -> int:
    # parts/rp2040_adc.py, one reading: mid-rail, and 698.1 counts by the sense current
    level_x256 = 2048 * 256 + 44_679 + (max(-150_000, min(150_000, nm_s)) * 4685 >> 10)
    return max(0, min(4095, (level_x256 + noise_x256 + 128) >> 8))


def test_converter_over_an_array_adds_the_noise_that_the_part_adds() -> None:
    ground = np.random.default_rng(1).integers(-200_000, 200_000, 9000).astype(np.int32)
    table = noise.table(77)
    at, stride, expected = 0, 1, []
    for nm_s in ground:
        total = 0
        for _ in range(READINGS):
            at += stride
            if at >= noise.SIZE:
                at -= noise.SIZE
                stride = (stride + 2) & 255
            total += reading(int(nm_s), table[at])
        expected.append(total - READINGS * 2048)
    array = GeophoneArray(77)
    cut = [array.counts(part) for part in np.split(ground, [1, 250, 5000])]
    assert np.concatenate(cut).tolist() == expected


@pytest.mark.parametrize("cuts", [[], [7], [1000, 1001, 1020, 3333]])
def test_halver_in_pieces_gives_the_same_integers_as_in_one_go(cuts: list[int]) -> None:
    velocity = np.random.default_rng(2).normal(0, 1e-6, 5001).astype(np.float32)
    halver = Halver()
    pieces = np.split(velocity, cuts)
    out = [halver.push(piece, last=i == len(pieces) - 1) for i, piece in enumerate(pieces)]
    assert np.array_equal(np.concatenate(out), to_feed(velocity, 500.0))


def test_fast_path_for_an_unknown_front_end_is_refused(micropython: Path) -> None:
    given = World(load(Path("night_walker_two_nodes")), 1).take(2)
    nodes = tuple(NodeSpec(n.id, n.x_m, n.y_m, n.sector, board="esp32") for n in given.nodes)
    other = Take(Site("x", nodes), given.signals)
    with pytest.raises(SimError, match="no front end of esp32"):
        simulate_fast(other, micropython=micropython)


def test_detector_that_fails_is_one_line_with_its_last_output(tmp_path: Path) -> None:
    given = World(load(Path("night_walker_two_nodes")), 1).take(2)
    broken = tmp_path / "micropython"
    broken.write_text("#!/bin/sh\necho out of order\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(SimError, match="detector of node n01 failed: out of order"):
        simulate_fast(given, micropython=broken)


def test_node_seeds_differ_between_nodes_and_fit_30_bits() -> None:
    seeds = {node_seed(3, f"n{i:02}") for i in range(100)}
    assert len(seeds) == 100
    assert max(seeds) < 1 << 30
