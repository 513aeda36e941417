# SPDX-License-Identifier: MIT
"""Key rotations of a node on a real littlefs: power cuts, and keys left in a flash image."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.keys import at_epoch, derive, next_epoch
from tests.on_node import run_on_node

SCRIPT = Path(__file__).parent / "on_node" / "steps.py"
HALVES = SCRIPT.with_name("halves.py")
HALF_CASES = [
    line.split("(")[0].removeprefix("def ")
    for line in HALVES.read_text().splitlines()
    if line.startswith("def ") and line.endswith("():")
]


@pytest.mark.parametrize("case", HALF_CASES)
def test_key_of_a_half_turn_in_case_is_never_used_in_another(
    case: str, micropython_i386: Path, tmp_path: Path
):
    assert run_on_node(micropython_i386, HALVES, case, cwd=tmp_path)[-1] == "ok"


# 256 bytes to a page as on an RP2040, 32 as MicroPython mounts an ESP32's flash.
@pytest.mark.parametrize(("progsize", "every"), [("256", "11"), ("32", "97")])
def test_rotation_with_power_cut_at_any_operation_leaves_one_epoch_and_no_past_key(
    progsize: str, every: str, micropython: Path
):
    *_, line = run_on_node(
        micropython, SCRIPT, "cut", "0", every, progsize, heap="8m", timeout_s=300
    )
    match = re.fullmatch(r"cuts (\d+) operations (\d+)", line)
    assert match is not None
    assert int(match[2]) > 300
    assert int(match[1]) > 3 * int(match[2]) // int(every)


def test_rotation_with_each_first_operation_cut_leaves_one_epoch(micropython: Path):
    # The rotation itself ends within these; the rest is scrubbing.
    *_, line = run_on_node(micropython, SCRIPT, "cut", "0", "1", "256", "40", heap="8m")
    assert line.startswith("cuts 120 ")


def test_keys_of_an_epoch_are_the_same_on_node_and_gateway(micropython: Path, tmp_path: Path):
    *_, line = run_on_node(micropython, SCRIPT, "dump", str(tmp_path / "flash"), "3", heap="8m")
    assert line == "epoch 3 copies 0"
    given = derive(bytes(range(32)))
    third = next_epoch(next_epoch(next_epoch(given)))
    assert at_epoch(given, 3) == third
    assert third.mqtt_password == given.mqtt_password
    assert third.key in (tmp_path / "flash").read_bytes()
