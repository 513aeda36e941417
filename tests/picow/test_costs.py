# SPDX-License-Identifier: MIT
"""Decimator, detector and seal on the board's processor: results as anywhere, within budget."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from gateway.keys import derive, next_epoch
from gateway.wire.seal import seal
from tests.picow.board import PicoW
from tools.compiled import mpy_for
from tools.image import compiled_files, read_sources

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = Path(__file__).parent / "on_node" / "costs.py"
BLOCK_US = 128_000  # 32 samples at 250 Hz
# Of 15 % of the processor for everything; sampling, radio and ledger need the rest. Emulated time
# is real time / 1.0 to 1.2, so a quarter is kept in hand.
DETECTOR_SHARE = 0.08
DECIMATE_SHARE = 0.03
SAMPLE_US = 4_000
SEAL_US_MAX = 5_000


def _results(printed):
    return [line for line in printed.splitlines() if line.strip() and not line.startswith("us ")]


def _on_unix(micropython):
    ran = subprocess.run(
        [micropython, SCRIPT],
        env={**os.environ, "MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
        capture_output=True,
        text=True,
        check=True,
    )
    return _results(ran.stdout)


def compiled_tree(out):
    # With the names that the scripts know.
    for name, data in compiled_files(read_sources("pico_w"), mpy_for("pico_w")).items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(data)
    return out


@pytest.mark.picow
def test_decimator_detector_and_seal_on_official_firmware_agree_with_the_host_and_keep_their_budget(
    pico_w_image, micropython, tmp_path
):
    tree = compiled_tree(tmp_path / "tree")
    with PicoW(pico_w_image, tmp_path, files=tree) as pico:
        printed = pico.run(SCRIPT.read_text())
        print(f"costs: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall")
    print("\n".join(line for line in printed.splitlines() if line.startswith("us ")))

    results = _results(printed)
    assert results == _on_unix(micropython)
    assert any(line.startswith("report 1 ") for line in results)
    sealed = seal(bytes(16), bytes(13), bytes([0, 1, 0, 1]), bytes(range(34)), b"topic")
    assert f"sealed {sealed.hex()}" in results
    stepped = next_epoch(derive(bytes(32)))
    assert f"stepped {stepped.up_key.hex()}" in results

    detector_us = int(re.search(r"us detector mean=(\d+)", printed)[1])
    seal_us = int(re.search(r"us seal mean=(\d+)", printed)[1])
    assert 1.25 * detector_us <= DETECTOR_SHARE * BLOCK_US
    decimate_us = int(re.search(r"us decimate mean=(\d+)", printed)[1])
    assert 1.25 * decimate_us <= DECIMATE_SHARE * SAMPLE_US
    assert 1.25 * seal_us <= SEAL_US_MAX
