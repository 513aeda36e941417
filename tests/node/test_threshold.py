# SPDX-License-Identifier: MIT
"""The setting threshold_x10 of a node: more evidence asked for, later or no detections."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.model.node_settings import DEFAULTS, encode
from tests.node.conftest import Run, config, walker
from tools.bundle import write_tree
from tools.compiled import mpy_of_interpreter


@pytest.mark.long
def test_higher_threshold_detects_the_same_walker_later_or_not_at_all(
    micropython: Path, play: Callable[..., Run], tmp_path: Path
) -> None:
    detected_us = {}
    for threshold in (-20, 0, 40):
        name = f"n{threshold}"
        tree = tmp_path / name
        write_tree(config("pico_w"), tree, mpy_of_interpreter(micropython))
        (tree / "state").mkdir(exist_ok=True)
        body = (1).to_bytes(4, "big") + encode({**DEFAULTS, "threshold_x10": threshold})
        (tree / "state" / "set0").write_bytes(body + zlib.crc32(body).to_bytes(4, "big"))
        run = play(micropython, walker(45, 12, 30), name=name)
        detected_us[threshold] = [
            t_us for t_us, _lane, _boot, _seq, message in run.uplinks
            if type(message).__name__ == "Detection"
        ]  # fmt: skip
    assert detected_us[0], "the walker is detected without a setting"
    assert detected_us[-20][0] <= detected_us[0][0]
    assert not detected_us[40] or detected_us[40][0] > detected_us[0][0]
