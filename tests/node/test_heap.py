# SPDX-License-Identifier: MIT
"""The heap of a node that has started: as much is free in the simulator as on a Pico W."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.node.boot_states import make_state
from tests.node.conftest import walker
from tools.compiled import mpy_of_interpreter

# A fresh node on official firmware, as tests/picow/test_walk.py measures and holds it.
BOARD_HEAP_FREE = 95_600
MARGIN = 3_000


def test_simulated_node_has_the_free_heap_of_the_board(
    micropython_i386: Path, play: Callable[..., Any], tmp_path: Path
):
    make_state("fresh", tmp_path / "n07", micropython_i386, mpy_of_interpreter(micropython_i386))
    lines = play(micropython_i386, walker(5, 0, 0)).lines
    started = re.search(r"^node started .*heap_free=(\d+)", "\n".join(lines), re.MULTILINE)
    assert started is not None, lines
    assert abs(int(started[1]) - BOARD_HEAP_FREE) <= MARGIN
