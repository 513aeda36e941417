# SPDX-License-Identifier: MIT
"""The loop of ours beside the emulator's own: the same instructions give the same, at each time."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from rp2040py.rp2040 import RP2040

from sim_hardware.emulated.compiled import is_laid_out

ROOT = Path(__file__).parents[2]
# A program of random instructions, run by one loop: what an alarm finds every 1,234 ns.
RUN = """
import json, random, struct, sys
from types import SimpleNamespace
from sim_hardware.emulated.compiled import fast_loop, use_compiled
from tools.micropython import cache_dir
use_compiled(cache_dir(), lambda line: None)
from rp2040py.execute_batch import execute_batch
from rp2040py.rp2040 import RP2040
loop = fast_loop()
if loop is None:
    sys.exit("no loop")
if sys.argv[1] == "stock":
    loop = lambda simulator: execute_batch(simulator, 1)
chance = random.Random(int(sys.argv[2]))
def instruction():
    kind = chance.random()
    if kind < 0.3:  # a branch over one instruction or none, on each condition
        return 0xD000 | chance.randrange(14) << 8 | chance.randrange(2)
    if kind < 0.35:
        return 0xBF30 if kind < 0.32 else 0xBF00  # WFI, NOP
    return chance.randrange(0x4000) if kind < 0.7 else 0x4000 | chance.randrange(0x400)
code = [instruction() for _ in range(600)] + [0xBF00, 0xBF00]
code += [0xE000 | -602 - 2 & 0x7FF]  # back to the first one
chip = RP2040()
where = int(sys.argv[3], 16)
data = struct.pack("<%dH" % len(code), *code)
view, start = (chip.flash, 0x10000000) if where < 0x20000000 else (chip.sram, 0x20000000)
view[where - start : where - start + len(data)] = data
chip.core.pc = where
pio = chip.pio[1]
pio.stopped = False
simulator = SimpleNamespace(rp2040=chip, clock=chip.clock, stopped=False)
found = []
def look():
    core = chip.core
    found.append([core.pc, core.cycles, core.apsr, list(core.registers), pio.cycle_fp,
        chip.clock.nanos, bool(core.waiting)])
    core.waiting = False
    if len(found) < 500:
        alarm.schedule(1234.0)
    else:
        simulator.stopped = True
alarm = chip.clock.create_alarm(look)
alarm.schedule(1234.0)
while not simulator.stopped:
    loop(simulator)
print(json.dumps(found))
"""


def run(loop: str, seed: int, where: str) -> list:
    """What the alarm found."""
    words = [sys.executable, "-c", RUN, loop, str(seed), where]
    ran = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.parametrize(("seed", "where"), [(1, "10000100"), (2, "20000200"), (3, "10ffa000")])
def test_loop_gives_what_the_emulators_own_gives(seed, where):
    stock = run("stock", seed, where)
    assert run("ours", seed, where) == stock
    assert len(stock) == 500
    assert any(waiting for *_rest, waiting in stock)


def test_loop_that_reads_something_else_is_not_used():
    loop = ModuleType("loop")
    loop.layout = lambda _chip: {"cycles": 0}
    assert not is_laid_out(loop, RP2040())
