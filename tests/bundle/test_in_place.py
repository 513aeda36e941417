# SPDX-License-Identifier: MIT
"""An image larger than its copy in flash would run from the heap, with a fifth of it free."""

import re

from tools.bundle import FIRMWARE, unsigned
from tools.compiled import mpy_for
from tools.image import make_image


def test_image_of_a_pico_w_fits_its_copy_in_flash_with_a_spare_block():
    source = (FIRMWARE / "boards" / "inplace.py").read_text()
    size = {name: int(n) for name, n in re.findall(r"^_(\w+) = const\((\d+)\)", source, re.M)}
    tree = unsigned(make_image("pico_w", mpy_for("pico_w")))
    assert len(tree) <= (size["TREE_BLOCKS"] - 1) * size["BLOCK"]
    # Between the official build (873 KB) and the file system are 347 KB.
    assert size["BLOCKS"] * size["BLOCK"] <= 347 * 1024
    assert size["TREE_BLOCKS"] < size["CODE_BLOCKS"] == size["BLOCKS"] - 1
