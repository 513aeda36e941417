# SPDX-License-Identifier: MIT
"""Wear of a Pico W's flash: erases counted under a real littlefs, and the years they leave."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.on_node import run_on_node

WEAR = Path(__file__).parent / "on_node" / "wear.py"
# MicroPython's filesystem on a Pico W, as in tests/update/test_flash_budget.py, and a sector of its
# W25Q16JV: 4 KiB, 100,000 erases (Winbond, W25Q16JV data sheet, features).
BLOCKS = 212
CYCLES = 100_000
FIRMWARE_BYTES = 400_000  # two images and safe mode
DAYS = 10
YEARS_MIN = 10.0

# name: (detections a day, whether a gateway is reached, whether the key is rotated and scrubbed)
USES = {
    "960 detections a day, gateway reached": (960, 1, 0),
    "no detection, gateway reached, key rotated daily": (0, 1, 1),
    "960 detections a day, gateway reached, key rotated daily": (960, 1, 1),
    "960 detections a day, no gateway, ever": (960, 0, 0),
}


@pytest.mark.parametrize("use", USES)
def test_flash_lasts_for_years_in_use(
    use: str, micropython: Path, capsys: pytest.CaptureFixture[str]
):
    detections, reached, scrubs = USES[use]
    numbers = (BLOCKS, FIRMWARE_BYTES, DAYS, detections, reached, scrubs)
    *_log, line = run_on_node(micropython, WEAR, *map(str, numbers), heap="8m")
    erases, hottest, _steps = (int(text) for text in line.split()[1:])
    years = CYCLES / (hottest / DAYS) / 365
    each = f", {erases / DAYS / detections:.2f} for each detection" if detections else ""
    with capsys.disabled():
        sys.stdout.write(
            f"\n{use}: {erases / DAYS:.0f} erases a day{each}; {hottest / DAYS:.1f} of the block"
            f" erased most: {years:.0f} years "
        )
    assert erases
    assert years >= YEARS_MIN
