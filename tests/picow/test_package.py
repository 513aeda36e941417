# SPDX-License-Identifier: MIT
"""A tree as one file, and the record that chooses it, on the board's own littlefs."""

from __future__ import annotations

import shutil

import pytest

from tests.on_node import FIRMWARE
from tests.picow.board import PicoW
from tests.update.test_package import SCRIPT, write_trees
from tools.compiled import mpy_for

SLOTS = """
import slots
first = slots.choose(0)
assert (first.image, first.is_provisioned) == ("a", True)
first.open_spare()
first.start_trial(2000, 7)
trees = []
for _ in range(5):
    record = slots.choose(0)
    trees.append((record.image, record.on_trial))
assert trees == [("b", True)] * 3 + [("a", False)] * 2, trees
assert (record.outcome, record.command) == (record.ROLLED_BACK, 7)
record.clear()
assert slots.choose(0).outcome == record.NOTHING
print("slots ok")
"""


@pytest.mark.picow
def test_tree_in_one_file_is_chosen_and_imported_on_official_firmware(pico_w_image, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("package.py", "slots.py"):
        shutil.copyfile(FIRMWARE / name, tree / name)
    write_trees(tree, mpy_for("pico_w"))
    for name in ("slot0", "slot1", "node.json"):
        (tree / name).touch()
    with PicoW(pico_w_image, tmp_path, files=tree) as pico:
        for script, printed in ((SCRIPT, "ok"), (SLOTS, "slots ok")):
            assert pico.run(script).strip() == printed
        print(f"pack: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall")
