# SPDX-License-Identifier: MIT
"""Messages by the hundred thousand through a node's link on the 32-bit build: the heap stays."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.on_node import run_on_node

SCRIPT = Path(__file__).parent / "on_node" / "endurance.py"
DRIFT_MAX = 0.01


def _endure(interpreter: Path, folder: Path, count: int, timeout_s: float) -> None:
    lines = run_on_node(
        interpreter, SCRIPT, str(folder / "state"), str(count), heap="120k", timeout_s=timeout_s
    )
    used = [int(line.split()[1]) for line in lines if line.startswith("used")]
    drift = max(used[1:]) / used[0] - 1
    sys.stdout.write(f"\n{count} messages: {used[0]} B in use after a tenth, drift {drift:+.2%}\n")
    assert len(used) == 10
    assert drift <= DRIFT_MAX
    words = lines[-1].split()
    # Each detection once, each eighth with a heartbeat; a counter space holds 65,535.
    assert int(words[1]) == count + count // 8
    assert int(words[3]) == 1 + count // 65_535
    assert words[5] == "0"


@pytest.mark.slow
def test_hundred_thousand_messages_leave_the_heap_as_it_is(micropython_i386: Path, tmp_path: Path):
    _endure(micropython_i386, tmp_path, 100_000, 600)


@pytest.mark.soak
def test_million_messages_leave_the_heap_as_it_is(micropython_i386: Path, tmp_path: Path):
    _endure(micropython_i386, tmp_path, 1_000_000, 6_000)


def test_five_thousand_messages_leave_the_heap_as_it_is(micropython_i386: Path, tmp_path: Path):
    _endure(micropython_i386, tmp_path, 5_000, 60)
