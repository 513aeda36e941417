# SPDX-License-Identifier: MIT
"""Kept reports of a world: observed once, the same when read, made again when damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sim_hardware.world import load
from tools.score.kept import kept, observed
from tools.score.line import alarm_lines
from tools.score.suite import WorldJob

JOB = WorldJob(load(Path("night_walker_two_nodes")), 5, 60)
NOWHERE = Path("/there/is/no/micropython")


def test_kept_world_is_read_and_not_observed_again(micropython: Path, tmp_path: Path) -> None:
    seen = kept(JOB, micropython, tmp_path)
    read = kept(JOB, NOWHERE, tmp_path)
    assert read == seen and any(read.reports.values())
    assert alarm_lines(read) == alarm_lines(seen)


def test_another_seed_or_scenario_is_another_file(micropython: Path, tmp_path: Path) -> None:
    for job in (JOB, replace(JOB, seed=6), replace(JOB, duration_s=40)):
        kept(job, micropython, tmp_path)
    assert len(list(tmp_path.glob("*.msgpack"))) == 3


def test_damaged_file_is_made_again(micropython: Path, tmp_path: Path) -> None:
    seen = kept(JOB, micropython, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    assert kept(JOB, micropython, tmp_path) == seen
    assert kept(JOB, NOWHERE, tmp_path) == seen


def test_nothing_is_kept_without_a_folder(micropython: Path, tmp_path: Path) -> None:
    assert kept(JOB, micropython, None) == observed(JOB, micropython)
    assert list(tmp_path.iterdir()) == []
