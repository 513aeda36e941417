# SPDX-License-Identifier: MIT
"""`groundwatch record` at official firmware: through the prompt, a restart, and all samples.

One test, because each boot costs a minute of emulation.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys

import pytest

from sim_hardware import take
from tests.picow.board import PicoW
from tests.picow.ground import write_walk
from tools.bundle import NodeConfig, write_tree

BOOT_S = 60  # emulated
SECONDS = 20


@pytest.mark.picow
async def test_record_at_official_firmware_loses_no_sample_while_it_detects(pico_w_image, tmp_path):
    node = NodeConfig(
        "bench", "n01", "pico_w", bytes(32), "groundwatch", "any eight", "10.0.0.1", 1883, 0, 0
    )
    write_tree(node, tmp_path / "tree")
    walk = write_walk(tmp_path / "walk")
    with PicoW(pico_w_image, tmp_path, files=tmp_path / "tree") as pico:
        await pico.line(r"node started ", BOOT_S)
        words = ["record", "n01", "--port", str(pico.port), "--label", "walks", "--people", "p01"]
        words += ["--seconds", str(SECONDS), "--json", "--out", str(tmp_path / "take")]
        record = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tools.cli", *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            await pico.line(r"stream starts seconds=\d+", 2 * BOOT_S)
            pico.ask("take", folder=str(walk), node="n01")
            printed, errors = await record.communicate()
        finally:
            if record.returncode is None:
                record.kill()
        print(f"\nrecorded: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall")
        assert record.returncode == 0, errors.decode()
        await pico.line(r"stream ends cause=host", BOOT_S)
        lines = [text for _at, text in pico.lines]
    starts = [line for line in lines if line.startswith("node started ")]
    print(starts)
    assert len(starts) == 2
    # The restart was no crash.
    assert "cause=reboot" in starts[1] or "cause=power_on" in starts[1]
    after = lines[lines.index(starts[1]) :]
    assert not [line for line in after if re.search("node stops|task failed|Trace", line)]
    assert any(line.startswith("detection ") for line in after)
    summary = json.loads(printed.splitlines()[-1])
    print(summary)
    assert summary["samples"] >= 250 * SECONDS
    assert summary["samples_lost"] == summary["pir_edges_lost"] == summary["lines_damaged"] == 0
    assert abs(summary["measured_fs_hz"] - 250) < 1
    made = take.load(tmp_path / "take")
    assert made.signals["n01"].duration_s == pytest.approx(summary["duration_s"])
