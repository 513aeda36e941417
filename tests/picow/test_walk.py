# SPDX-License-Identifier: MIT
"""The whole way on official firmware: footsteps on a converter to a detection at the gateway.

One test, because each boot with Wi-Fi costs minutes of emulation.
"""

from __future__ import annotations

import re

import pytest

from gateway.model.target import Phase, TargetClass
from tests.node.test_heap import BOARD_HEAP_FREE, MARGIN
from tests.picow.board import PicoW
from tests.picow.ground import write_walk
from tools.bench import node_site

# Free heap once everything is imported and allocated, of 205,696 bytes (110 KB used: 93,056 free).
# A link up, a sealed detection and a heartbeat take some 10 KB of it at a time, a collection every
# two seconds gives them back.
HEAP_FREE_MIN = 91_000
# Times of footfalls that cannot be by the gateway's clock: emulated time passes more slowly.
BY_THE_WALL = {"untimely_footfalls"}
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
    async with node_site.gateway(tmp_path) as running:
        yield running


@pytest.mark.picow
async def test_walk_past_official_firmware_becomes_a_detection_at_the_gateway(
    gateway, pico_w_image, tmp_path
):
    arrived: list = []
    gateway.on_outcome(lambda outcome: arrived.extend(outcome.detections))
    walk = write_walk(tmp_path / "walk")
    port = gateway.address[1]
    tree = node_site.tree(tmp_path, port)
    with PicoW(pico_w_image, tmp_path, "--network", f"127.0.0.1:{port}", files=tree) as pico:
        started = await pico.line(r"^node started .*heap_free=(\d+)", BOOT_S)
        print(
            f"started: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall,", end=""
        )
        print(f" {started[1]} bytes of heap free")
        await pico.line(r"^link up ", BOOT_S)
        print(f"link up: {pico.emulated_us / 1e6:.1f} s emulated, {pico.wall_s:.0f} s wall")
        start_us = pico.emulated_us
        pico.ask("take", folder=str(walk), node="n01")
        detected = await pico.line(
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
                if at_us > start_us + 1e6 * MINUTE_S and (found := SAMPLING.match(text))
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
    boot, seq, onset_ms = (int(detected[i]) for i in (1, 2, 3))
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
