# SPDX-License-Identifier: MIT
"""The whole way on official firmware: footsteps on a converter to a detection at the gateway.

One test, because each boot with Wi-Fi costs minutes of emulation.
"""

from __future__ import annotations

import re

import pytest

from gateway import keys
from gateway.app import Gateway
from gateway.config import BrokerConfig, ConsoleConfig, GatewayConfig
from gateway.model.target import Phase, TargetClass
from sim_hardware.emulated.network import HOST, SSID
from tests.node.test_heap import BOARD_HEAP_FREE, MARGIN
from tests.picow.board import PicoW
from tests.picow.ground import write_walk
from tools.bundle import NodeConfig, write_tree

SITE = """
[site]
name = "bench"
[[sector]]
id = "bench"
[[node]]
id = "n01"
x_m = 0
y_m = 0
sector = "bench"
board = "pico_w"
"""
# Free heap once everything is imported and allocated, of 205,696 bytes (110 KB used: 93,056 free).
# A link up, a sealed detection and a heartbeat take some 10 KB of it at a time, a collection each
# second gives them back.
HEAP_FREE_MIN = 94_000
# Times of footfalls that cannot be by the gateway's clock: emulated time passes more slowly.
BY_THE_WALL = {"untimely_strikes"}
SAMPLING = re.compile(
    r"sampling rate_hz_x100=(\d+) missed=(\d+) overruns=(\d+) clipped=(\d+) worst_late_us=(\d+)"
)
RING_US = 1_024_000  # what the converter's ring holds
# Emulated seconds.
BOOT_S = 60
WALK_S = 60
MINUTE_S = 60  # the walk and what follows it
REPORT_S = 80  # a heartbeat comes every 48 to 72 s


@pytest.fixture
async def gateway(tmp_path):
    (tmp_path / "site.toml").write_text(SITE)
    keys.create_fleet_root(tmp_path / "fleet.key")
    config = GatewayConfig(
        data_dir=tmp_path / "data",
        site=tmp_path / "site.toml",
        fleet_key=tmp_path / "fleet.key",
        broker=BrokerConfig(port=0),
        console=ConsoleConfig(port=0),
    )
    config.data_dir.mkdir()
    async with Gateway(config) as running:
        yield running


def _tree(tmp_path, port):
    root = keys.load_fleet_root(tmp_path / "fleet.key")
    config = NodeConfig(
        site="bench",
        node="n01",
        board="pico_w",
        key=keys.node_key(root, "bench", "n01"),
        ssid=SSID,
        passphrase="any eight characters",
        host=HOST,
        port=port,
        x_m=0,
        y_m=0,
    )
    write_tree(config, tmp_path / "tree")
    return tmp_path / "tree"


@pytest.mark.picow
async def test_walk_past_official_firmware_becomes_a_detection_at_the_gateway(
    gateway, pico_w_image, tmp_path
):
    arrived: list = []
    gateway.on_outcome(lambda outcome: arrived.extend(outcome.detections))
    walk = write_walk(tmp_path / "walk")
    port = gateway.address[1]
    tree = _tree(tmp_path, port)
    with PicoW(pico_w_image, tmp_path, "--network", f"127.0.0.1:{port}", files=tree) as pico:
        started = await pico.line(r"^node started .*heap_free=(\d+)", BOOT_S)
        print(
            f"started: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall,", end=""
        )
        print(f" {started[1]} bytes of heap free")
        await pico.line(r"^link up ", BOOT_S)
        print(f"link up: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall")
        began_us = pico.emulated_us
        pico.ask("take", folder=str(walk), node="n01")
        told = await pico.line(
            r"^detection boot=(\d+) seq=(\d+) onset_ms=(\d+) phase=onset class=(\w+)", WALK_S
        )
        await pico.until(lambda: arrived, "the detection at the gateway", WALK_S)
        # What it is may come with an update.
        await pico.until(
            lambda: any(one.target is TargetClass.PERSON for one in arrived), "a person", WALK_S
        )
        print(f"detected: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall")
        sampled = await pico.until(
            lambda: [
                found
                for at_us, text in pico.lines
                if at_us > began_us + 1e6 * MINUTE_S and (found := SAMPLING.match(text))
            ],
            "a report of the sampling of the whole walk",
            MINUTE_S + REPORT_S,
        )
        lines = [text for _at, text in pico.lines]
        print("\n".join(lines))

    # Writes to flash and collections lie in that time; 250 samples a second have come all the same.
    rate_hz_x100, missed, overruns, clipped, late_us = (int(word) for word in sampled[0].groups())
    assert (missed, overruns, clipped) == (0, 0, 0)
    assert rate_hz_x100 == pytest.approx(25_000, abs=10)
    assert late_us < RING_US
    boot, seq, onset_ms = (int(told[i]) for i in (1, 2, 3))
    detection = arrived[0]
    assert detection.activity.node == "n01"
    assert (detection.activity.boot, detection.seq) == (boot, seq)
    assert detection.activity.onset_ms == onset_ms
    assert detection.phase is Phase.ONSET
    assert {one.activity for one in arrived} == {detection.activity}
    assert int(started[1]) >= HEAP_FREE_MIN
    assert abs(int(started[1]) - BOARD_HEAP_FREE) <= MARGIN
    assert gateway.summary()["refused_by_reason"].keys() <= BY_THE_WALL
    assert not [line for line in lines if re.match("node stops|task failed|Traceback", line)]
