# SPDX-License-Identifier: MIT
"""Safe mode starts on official firmware, with the parts of the board that it has."""

from __future__ import annotations

import pytest

from tests.node.conftest import config
from tests.on_node import run_on_node
from tests.picow.board import PicoW
from tools.bundle import write_tree
from tools.compiled import mpy_for

START_S = 60  # emulated
# Five starts in a row that the watchdog ended before the node was well.
CRASHED = """
from slots import SAFE_MODE, choose
for _ in range(5):
    record = choose(2)
print(record.image == SAFE_MODE)
"""


@pytest.mark.picow
async def test_safe_mode_starts_on_official_firmware(micropython, pico_w_image, tmp_path):
    tree = tmp_path / "tree"
    write_tree(config("pico_w"), tree, mpy_for("pico_w"))
    script = tmp_path / "crashed.py"
    script.write_text(CRASHED)
    assert run_on_node(micropython, script, cwd=tree) == ["True"]
    with PicoW(pico_w_image, tmp_path, files=tree) as pico:
        await pico.line(r"^node started .* fw=safe-", START_S)
