# SPDX-License-Identifier: MIT
"""Nodes on real MicroPython through schedules of faults, assessed at a real gateway."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.node_faults.bench import Bench
from tests.node_faults.claims import check
from tests.node_faults.run import FAULTS, report
from tests.node_faults.schedule import KINDS, make_schedule

SEEDS = range(1, 25)  # 24 times 45, and each power loss of a flicker: more than 1,000 faults
SHORT = [(1001, 4), pytest.param(1002, 10, marks=pytest.mark.long)]


async def _stand(seed: int, count: int, away: bool, folder: Path, interpreter: Path) -> None:
    played = await Bench(folder, make_schedule(seed, count, away), interpreter).play()
    shown = report(played)
    sys.stdout.write(f"\n{shown}\n")
    assert not check(played), shown


@pytest.mark.faults
@pytest.mark.parametrize("seed", SEEDS)
async def test_node_through_faults_of_every_kind_loses_nothing_and_comes_back(
    seed: int, tmp_path: Path, micropython_i386: Path
) -> None:
    await _stand(seed, FAULTS, True, tmp_path, micropython_i386)


@pytest.mark.parametrize(("seed", "count"), SHORT)
async def test_node_through_a_few_faults_loses_nothing_and_comes_back(
    seed: int, count: int, tmp_path: Path, micropython_i386: Path
) -> None:
    await _stand(seed, count, False, tmp_path, micropython_i386)


def test_schedules_hold_a_thousand_faults_and_every_kind() -> None:
    schedules = [make_schedule(seed, FAULTS) for seed in SEEDS]
    assert sum(schedule.count for schedule in schedules) >= 1_000
    played = {fault.kind for schedule in schedules for fault in schedule.faults}
    assert played == {*KINDS, "gateway away"}
    assert str(make_schedule(7, FAULTS)) == str(make_schedule(7, FAULTS))
