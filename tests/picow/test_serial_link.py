# SPDX-License-Identifier: MIT
"""A node on a wire on official firmware: footsteps to a detection over its own USB console.

One test, because each boot costs a minute of emulation.
"""

from __future__ import annotations

import re

import pytest

from gateway import keys
from gateway.app import Gateway
from gateway.config import BrokerConfig, ConsoleConfig, GatewayConfig, SerialConfig
from gateway.model.target import Phase, TargetClass
from tests.picow.board import PicoW
from tests.picow.ground import write_walk
from tests.picow.test_walk import BY_THE_WALL, HEAP_FREE_MIN
from tools.bench.node_site import SITE_TOML
from tools.bundle import NodeConfig, write_tree

# Emulated seconds.
BOOT_S = 60
WALK_S = 60


@pytest.mark.picow
async def test_wired_node_on_official_firmware_delivers_and_gives_its_console_back(
    pico_w_image, tmp_path
):
    (tmp_path / "site.toml").write_text(SITE_TOML + 'link = "serial"\n')
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
    walk = write_walk(tmp_path / "walk")
    arrived: list = []
    with PicoW(pico_w_image, tmp_path, files=tmp_path / "tree") as pico:
        async with Gateway(config) as gateway:
            gateway.on_outcome(lambda one: arrived.extend(one.detections))
            # Frames go by between the lines.
            started = await pico.line(r"node started .*heap_free=(\d+)", BOOT_S)
            await pico.line(r"link up line=console", BOOT_S)
            print(f"\nlink up: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall,")
            print(f"{started[1]} bytes of heap free")
            pico.ask("take", folder=str(walk), node="n01")
            detected = await pico.line(
                r"detection boot=(\d+) seq=(\d+) onset_ms=(\d+) phase=onset", WALK_S
            )
            # What it is may come with an update.
            await pico.until(
                lambda: any(one.target is TargetClass.PERSON for one in arrived), "a person", WALK_S
            )
            detection, last = arrived[0], arrived[-1]
            print(f"detected: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall")
            counters = gateway.links[1].counters
            assert gateway.summary()["refused_by_reason"].keys() <= BY_THE_WALL
            faults = [
                x
                for _at, x in pico.lines
                if re.search("node stops|task failed|link failed|Trace", x)
            ]
        # As `groundwatch node flash` comes in, past the frames.
        assert pico.run("print(6*7)").split() == ["42"]
    boot, seq, onset_ms = (int(detected[i]) for i in (1, 2, 3))
    assert (detection.activity.boot, detection.seq) == (boot, seq)
    assert detection.activity.onset_ms == onset_ms
    assert detection.phase is Phase.ONSET
    assert last.activity == detection.activity
    assert int(started[1]) >= HEAP_FREE_MIN
    assert counters["bad_crc"] == counters["bad_cobs"] == 0
    assert faults == []
