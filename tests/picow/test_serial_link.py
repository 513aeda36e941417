# SPDX-License-Identifier: MIT
"""A node on a wire on official firmware: footsteps to a detection over its own USB console.

One test, because each boot costs a minute of emulation.
"""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from gateway import keys
from gateway.app import Gateway
from gateway.config import BrokerConfig, ConsoleConfig, GatewayConfig, SerialConfig
from gateway.wire.messages import Phase, TargetClass
from tests.picow.cable import PicoOnCable
from tests.picow.ground import Walk
from tests.picow.test_walk import HEAP_FREE_MIN, SITE
from tools.bundle import NodeConfig, write_tree
from tools.flash.repl import Repl

BOOT_S = 900
WALK_S = 900


async def printed(cable: PicoOnCable, pattern: str, timeout_s: float) -> re.Match[str]:
    """Wait for a line that ends so: frames go by between the lines."""
    end_s = time.monotonic() + timeout_s
    while True:
        for line in list(cable.pico.lines):
            if match := re.search(pattern, line):
                return match
        if time.monotonic() > end_s:
            raise AssertionError("\n".join(cable.pico.lines[-30:]))
        await asyncio.sleep(0.2)


@pytest.mark.picow
async def test_wired_node_on_official_firmware_delivers_and_gives_its_console_back(
    pico_w_image, tmp_path
):
    (tmp_path / "site.toml").write_text(SITE + 'link = "serial"\n')
    root = keys.create_fleet_root(tmp_path / "fleet.key")
    config = GatewayConfig(
        data_dir=tmp_path / "data",
        site=tmp_path / "site.toml",
        fleet_key=tmp_path / "fleet.key",
        broker=BrokerConfig(port=0),
        console=ConsoleConfig(port=0),
        serial=(SerialConfig(str(tmp_path / "ttyACM0")),),
    )
    config.data_dir.mkdir()
    key = keys.node_key(root, "bench", "n01")
    node = NodeConfig("bench", "n01", "pico_w", key, "", "", "", 0, 0, 0, link="serial")
    write_tree(node, tmp_path / "tree")
    walk = Walk()
    arrived: asyncio.Queue = asyncio.Queue()
    with PicoOnCable(pico_w_image, tmp_path / "tree", tmp_path, walk.code) as cable:
        pico = cable.pico
        walk.begin(pico)
        async with Gateway(config) as gateway:
            gateway.on_outcome(lambda one: [arrived.put_nowait(d) for d in one.detections])
            started = await printed(cable, r"node started .*heap_free=(\d+)", BOOT_S)
            await printed(cable, r"link up line=console", BOOT_S)
            print(f"\nlink up: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall,")
            print(f"{started[1]} bytes of heap free")
            told = await printed(
                cable, r"detection boot=(\d+) seq=(\d+) onset_ms=(\d+) phase=onset", WALK_S
            )
            detection = last = await asyncio.wait_for(arrived.get(), 120)
            # Seconds after its start the ground is new to it: what it is may come with an update.
            while last.target is not TargetClass.PERSON:
                last = await asyncio.wait_for(arrived.get(), 120)
            print(f"detected: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall")
            counters = gateway.links[1].counters
            assert gateway.summary()["refused"] == 0
            trouble = [
                x for x in pico.lines if re.search("node stops|task failed|link failed|Trace", x)
            ]
        repl = Repl(str(cable.port))  # as `groundwatch flash` comes in, past the frames
        repl.enter()
        assert repl.run("print(6*7)").split() == [b"42"]
        repl.close()
    boot, seq, onset_ms = (int(told[i]) for i in (1, 2, 3))
    assert (detection.activity.boot, detection.seq) == (boot, seq)
    assert detection.activity.onset_ms == onset_ms
    assert detection.phase is Phase.ONSET
    assert last.activity == detection.activity
    assert int(started[1]) >= HEAP_FREE_MIN
    assert counters["bad_crc"] == counters["bad_cobs"] == 0
    assert trouble == []
