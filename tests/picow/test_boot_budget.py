# SPDX-License-Identifier: MIT
"""The start of a node on official firmware: its time, and how long the watchdog is not fed.

One start, of the state that takes the longest: each costs minutes of emulation.
"""

from __future__ import annotations

import asyncio

import pytest
from rp2040py.peripherals.watchdog import LOAD

from tests.node.boot_states import make_state
from tests.node.conftest import config
from tests.node.test_boot_budget import watchdog_ms
from tests.picow.emulated import EmulatedPico
from tools.compiled import mpy_for

STATE = "update on trial, full ledger"
START_S = 1500
AFTER_US = 2_000_000
# Emulated time is real time / 1.0 to 1.2.
MARGIN = 1.2


def note_feeds(pico: EmulatedPico) -> list[int]:
    """The emulated times at which the watchdog is loaded anew, as they come."""
    feeds: list[int] = []
    watchdog = pico.device.mcu.watchdog
    plain = watchdog.write_uint32

    def write(offset: int, value: int) -> None:
        if offset == LOAD:
            feeds.append(pico.emulated_us)
        plain(offset, value)

    watchdog.write_uint32 = write
    return feeds


@pytest.mark.picow
async def test_start_on_official_firmware_feeds_within_half_the_watchdog(
    micropython, pico_w_image, tmp_path
):
    tree = tmp_path / "tree"
    make_state(STATE, tree, micropython, mpy_for("pico_w"), config("pico_w"))
    async with EmulatedPico(pico_w_image, tree, tmp_path) as pico:
        feeds = note_feeds(pico)
        started = await pico.line(r"^node started .* heap_free=(\d+)", START_S)
        started_us = pico.line_us[pico.lines.index(started.string)]
        while pico.emulated_us < started_us + AFTER_US:  # noqa: ASYNC110  # of another thread
            await asyncio.sleep(0.2)
        print(f"\n{STATE}: started at {started_us / 1e6:.2f} s, {started[1]} bytes of heap free;")
    gaps_s = [(later - sooner) / 1e6 for sooner, later in zip(feeds, feeds[1:], strict=False)]
    print(f"fed after {', '.join(f'{gap:.2f}' for gap in gaps_s)} s; {pico.wall_s:.0f} s wall")
    assert len(feeds) >= 5, "guard, main.py and the supervisor feed it"
    assert MARGIN * max(gaps_s) * 1000 <= watchdog_ms() / 2
