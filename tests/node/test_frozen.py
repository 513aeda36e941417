# SPDX-License-Identifier: MIT
"""The main.py of a MicroPython that has the node frozen; a folder stands for what is frozen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.node.conftest import config, walker
from tools.bundle import write_tree
from tools.compiled import mpy_of_interpreter
from tools.image import FIRMWARE, make_image

CHARGES = "none"  # a frozen image is not read from flash


def test_frozen_node_starts_without_an_image_and_detects_a_walker(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    mpy = mpy_of_interpreter(micropython)
    tree, frozen = tmp_path / "n07", tmp_path / "frozen"
    write_tree(config("pico_w"), tree, mpy)
    for name in ("a.fw", "safe_mode.fw", "root.copy", "package.mpy", "guard.mpy", "inplace.mpy"):
        (tree / name).unlink()
    for name, data in make_image("pico_w", mpy).files.items():
        (frozen / name).parent.mkdir(parents=True, exist_ok=True)
        (frozen / name).write_bytes(data)
    main = (FIRMWARE / "frozen" / "main.py").read_text()
    assert '".frozen"' in main
    (tree / "main.py").write_text(main.replace('".frozen"', repr(str(frozen))))
    run = play(micropython, walker(60, 10, 40))
    assert run.codes == [0]
    assert run.messages("Detection")
