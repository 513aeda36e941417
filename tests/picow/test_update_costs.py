# SPDX-License-Identifier: MIT
"""A signature on the board's own processor: right, and cheap enough to be done beside sampling."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.picow.board import PicoW
from tests.picow.test_costs import compiled_tree

SCRIPT = Path(__file__).parent / "on_node" / "verify_cost.py"
# The longest stretch without a sample being carried on: the ring holds 4 s (ugs.drivers.sampler).
LONGEST_US = 2_000_000


@pytest.mark.picow
def test_signature_on_official_firmware_is_verified_within_its_budget(pico_w_image, tmp_path):
    tree = compiled_tree(tmp_path / "tree")
    with PicoW(pico_w_image, tmp_path, files=tree) as pico:
        printed = pico.run(SCRIPT.read_text())
        print(f"verify: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall")
    print(printed)
    assert "answer True False" in printed
    longest = int(re.search(r" longest=(\d+)", printed)[1])
    assert 1.25 * longest < LONGEST_US
