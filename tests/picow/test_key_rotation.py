# SPDX-License-Identifier: MIT
"""A key rotation on official firmware and its own littlefs: no past key stays in the flash."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.keys import at_epoch, derive
from tests.picow.board import PicoW
from tests.picow.test_costs import compiled_tree

SCRIPT = Path(__file__).parent / "on_node" / "key_rotation.py"


@pytest.mark.picow
def test_key_rotation_on_official_firmware_leaves_no_past_key_in_its_flash(pico_w_image, tmp_path):
    tree = compiled_tree(tmp_path / "tree")
    with PicoW(pico_w_image, tmp_path, files=tree) as pico:
        printed = pico.run(SCRIPT.read_text())
        print(f"\nkey rotations: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall")
        flash = pico.flash
    print("\n".join(line for line in printed.splitlines() if line.startswith("us ")))
    assert printed.rstrip().endswith("epoch 2")
    given = derive(bytes(range(32)))
    present = at_epoch(given, 2)
    assert present.key in flash
    for past in (given, at_epoch(given, 1)):
        for secret in (past.key, past.up_key, past.down_key):
            assert secret not in flash
            assert secret.hex().encode() not in flash
