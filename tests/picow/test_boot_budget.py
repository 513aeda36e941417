# SPDX-License-Identifier: MIT
"""The start of a node on official firmware: its time, its heap, its collections, its watchdog.

One start, of the state that takes the longest: each costs minutes of emulation.
"""

from __future__ import annotations

import pytest

from tests.node.boot_states import make_state
from tests.node.conftest import config
from tests.node.test_boot_budget import watchdog_ms
from tests.picow.board import PicoW
from tests.picow.test_walk import HEAP_FREE_MIN
from tools.bench.node import GOALS
from tools.compiled import mpy_for

STATE = "update on trial, full ledger"
START_S = 60  # emulated
AFTER_US = 5_000_000
# Before main.py: prints the time of each collection. Interrupts wait meanwhile: those of the radio
# take up to 50 ms while it joins, whatever they interrupt.
TIMED = """
import gc as _gc, machine as _machine, sys as _sys, time as _time
class _Timed:
    def __getattr__(self, name):
        return getattr(_gc, name)
    def collect(self):
        masked = _machine.disable_irq()
        start = _time.ticks_us()
        _gc.collect()
        us = _time.ticks_diff(_time.ticks_us(), start)
        _machine.enable_irq(masked)
        print("collected us=%d" % us)
_sys.modules["gc"] = _Timed()
"""
# Emulated time is real time / 1.0 to 1.2.
MARGIN = 1.2


@pytest.mark.picow
async def test_start_on_official_firmware_feeds_within_half_the_watchdog(
    micropython, pico_w_image, tmp_path
):
    tree = tmp_path / "tree"
    make_state(STATE, tree, micropython, mpy_for("pico_w"), config("pico_w"))
    boot = tree / "boot.py"
    boot.write_text(boot.read_text() + TIMED)
    with PicoW(pico_w_image, tmp_path, files=tree) as pico:
        started = await pico.line(r"^node started .* heap_free=(\d+)", START_S)
        started_us = next(at for at, text in pico.lines if text == started.string)
        pico.ask("wait", until_us=started_us + AFTER_US)
        feeds = pico.ask("feeds")["feeds_us"]
        first_s = pico.ask("counters")["first_reading_us"] / 1e6
        print(f"first sample at {first_s:.2f} s")
        print(f"\n{STATE}: started at {started_us / 1e6:.2f} s, {started[1]} bytes of heap free;")
        printed = [text for at, text in pico.lines if at > started_us]
    collected_us = [int(text.split("=")[1]) for text in printed if text.startswith("collected us=")]
    print(f"collections of {', '.join(f'{us / 1000:.2f}' for us in collected_us)} ms")
    gaps_s = [(later - sooner) / 1e6 for sooner, later in zip(feeds, feeds[1:], strict=False)]
    print(f"fed after {', '.join(f'{gap:.2f}' for gap in gaps_s)} s; {pico.wall_s:.0f} s wall")
    assert len(feeds) >= 5, "guard, main.py and the supervisor feed it"
    assert MARGIN * max(gaps_s) * 1000 <= watchdog_ms() / 2
    goals = {goal.name: goal.most for goal in GOALS}
    assert max(gaps_s) <= goals["unfed_s"]
    assert first_s <= goals["first_sample_s"]
    assert len(collected_us) >= 2, "the sampling task collects every two seconds"
    assert max(collected_us) / 1000 <= goals["gc_ms"]
    assert int(started[1]) >= HEAP_FREE_MIN
