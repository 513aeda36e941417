# SPDX-License-Identifier: MIT
"""Sampling by DMA on the official firmware: chained channels, the battery in between, the end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim_hardware.emulated.inputs import BATTERY_CODE
from tests.picow.board import PicoW
from tests.picow.test_costs import compiled_tree

SCRIPT = Path(__file__).parent / "on_node" / "sampling.py"
SAMPLE_US = 4_000
SHARE = 0.03  # of the processor, for all that sampling takes
HEAP = 13_600  # with 8,240 of the ring and 4,128 of the samples


@pytest.mark.picow
def test_converter_by_dma_on_official_firmware_loses_nothing_and_ends(pico_w_image, tmp_path):
    tree = compiled_tree(tmp_path / "tree")
    with PicoW(pico_w_image, tmp_path, files=tree) as pico:
        printed = pico.run(SCRIPT.read_text())
    print(printed)

    def numbers(word):
        found = [line.split()[1:] for line in printed.splitlines() if line.startswith(word)]
        return [[int(one) for one in line] for line in found]

    (written, missed, overruns, clipped) = numbers("written")[0]
    # 5 s, two laps of the first channel, less 19 samples until the filter has settled.
    assert 1_230 <= written <= 1_260
    assert (missed, overruns, clipped) == (0, 0, 0)
    assert numbers("aside") == [[BATTERY_CODE]] * 2
    bridged, missed = numbers("bridged")[0]
    assert 2 <= bridged <= 8
    assert missed == 0
    assert abs(numbers("rate")[0][0] - 25_000) <= 25  # of a second: to four readings in 4,000
    low, high = numbers("range")[0]
    assert 690 <= low <= high <= 706
    missed, overruns = numbers("late")[0]
    assert missed == overruns
    assert 48 <= missed <= 58  # 1.2 s of which 0.992 s are there
    assert f"stopped True {BATTERY_CODE}" in printed
    assert 1.25 * int(re.search(r"us sample mean=(\d+)", printed)[1]) <= SHARE * SAMPLE_US
    assert int(re.search(r"us heap (\d+)", printed)[1]) <= HEAP
