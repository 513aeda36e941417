# SPDX-License-Identifier: MIT
"""Fleets in real time: restarts with back-off, growing feeds, logs, and no process left over."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from sim_hardware.errors import SimError
from sim_hardware.fleet import Fleet
from sim_hardware.sandbox import Faults, Made
from sim_hardware.take import Take

MakeTrees = Callable[[str, int], dict[str, Path]]
ROOT = Path(__file__).resolve().parents[2]


async def until(condition: Callable[[], object], limit_s: float = 15.0) -> None:
    """Wait for a process elsewhere; the limit is for a machine that is busy."""
    for _ in range(round(limit_s / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never happened")


def nodes_running() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "run_node.py" in " ".join(child.cmdline())]


async def test_node_that_resets_is_started_again_and_keeps_its_files(
    make_trees: MakeTrees, take_of: Callable[..., Take], micropython: Path
) -> None:
    trees = make_trees(
        "import machine, os, time\n"
        "if 'once' in os.listdir():\n"
        "    print('second', machine.reset_cause() == machine.WDT_RESET)\n"
        "    time.sleep(60)\n"
        "open('once', 'w').close()\n"
        "print('first')\n"
        "machine.reset()\n",
        2,
    )
    async with Fleet(take_of(2), trees, micropython=micropython) as fleet:
        await until(lambda: all(len(log.lines) >= 2 for log in fleet.logs.values()))
        assert [list(log.lines) for log in fleet.logs.values()] == [["first", "second True"]] * 2
        assert fleet.restarts == {"n01": 1, "n02": 1}
        assert fleet.crashes == {"n01": 0, "n02": 0}
    assert not nodes_running()


async def test_charged_node_in_real_time_blocks_loses_power_and_keeps_its_flash(
    make_trees: MakeTrees, take_of: Callable[..., Take], micropython_i386: Path
) -> None:
    trees = make_trees(
        "import gc, machine, os, time, utime\n"
        "if 'once' in os.listdir():\n"
        "    print('second', machine.reset_cause() == machine.PWRON_RESET, os.statvfs('.')[2])\n"
        "    time.sleep(60)\n"
        "before = utime.ticks_ms()\n"
        "with open('once', 'wb') as file:\n"
        "    file.write(bytes(20_000))\n"
        "ms = utime.ticks_diff(utime.ticks_ms(), before)\n"
        "print('erases', ms >= 5 * 43, gc.mem_free() // 1000)\n"
        "time.sleep(60)\n",
        1,
    )
    faults = {"n01": Faults(power_off_s=((2.5, 3.5),))}
    fleet = Fleet(
        take_of(1, 30.0), trees, micropython=micropython_i386, faults=faults, charges="typical"
    )
    async with fleet:
        log = fleet.logs["n01"]
        await until(lambda: len(log.lines) >= 3)
        first, off, second = log.lines
        erased, free_kb = first.rsplit(maxsplit=1)
        assert erased == "erases True"
        assert 160 < int(free_kb) < 224  # with the space for code that is in flash on the board
        assert (off, second) == ("sim: power off", "second True 212")
        assert time.time() - fleet.t0_utc_s >= 3.5
        assert fleet.restarts == {"n01": 1}
    assert not nodes_running()


async def test_node_that_crashes_is_started_later_each_time(
    make_trees: MakeTrees, take_of: Callable[..., Take], micropython: Path
) -> None:
    trees = make_trees("import utime\nprint('at', utime.time_ns() // 1000)\n1 / 0\n", 1)
    async with Fleet(take_of(1), trees, micropython=micropython) as fleet:
        log = fleet.logs["n01"]
        times: list[int] = []

        def thrice() -> bool:
            times[:] = [int(line.split()[1]) for line in log.lines if line.startswith("at ")]
            return len(times) >= 3

        await until(thrice)
    assert fleet.crashes["n01"] >= 2
    assert times[1] - times[0] >= 1_000_000
    assert times[2] - times[1] >= 2_000_000


async def test_killed_node_comes_back(
    make_trees: MakeTrees, take_of: Callable[..., Take], micropython: Path
) -> None:
    trees = make_trees("import time\nprint('up')\ntime.sleep(60)\n", 1)
    async with Fleet(take_of(1), trees, micropython=micropython) as fleet:
        await until(lambda: len(fleet.logs["n01"].lines) == 1)
        fleet.kill("n01")
        await until(lambda: len(fleet.logs["n01"].lines) == 2)
        assert (fleet.restarts["n01"], fleet.crashes["n01"]) == (1, 0)


async def test_detections_in_node_logs_are_collected(
    make_trees: MakeTrees, take_of: Callable[..., Take], micropython: Path
) -> None:
    line = "detection boot=1 seq=2 onset_ms=345 phase=end class=person confidence_pct=67"
    trees = make_trees(
        f"print('{line} peak_um_s_x100=89')\n"
        f"print('{line}')\n"
        "print('x' * 3000)\n"
        "print('last', end='')\n",
        1,
    )
    async with Fleet(take_of(1), trees, micropython=micropython) as fleet:
        await fleet.wait()
        assert fleet.made == [Made("n01", 1, 2, 345, "end", "person", 67, 89)]
        lines = list(fleet.logs["n01"].lines)
        assert [len(text) for text in lines[2:]] == [500, 4]


@dataclass(frozen=True)
class Block:
    start_s: float
    velocity_m_s: dict[str, NDArray[np.float32]]
    pir_edges_s: dict[str, list[float]]


class Stairs:
    """Ground whose velocity is the number of the second times 10 um/s, PIR on in odd ones."""

    fs_hz = 500

    def blocks(self, block_s: float) -> Iterator[Block]:
        second = 0
        while True:
            level = np.full(round(self.fs_hz * block_s), second * 1e-5, np.float32)
            yield Block(float(second), {"n01": level}, {"n01": [float(second)] if second else []})
            second += 1


async def test_live_world_beyond_the_prewritten_seconds_reaches_nodes_in_time(
    make_trees: MakeTrees, micropython: Path
) -> None:
    # Seven seconds are more than is written ahead, so the feed must grow.
    trees = make_trees(
        "import machine, time, simclock\n"
        "adc = machine.ADC(26)\n"
        "pir = machine.Pin(15)\n"
        "seen = []\n"
        "def tick(timer):\n"
        "    us = simclock.now()\n"
        "    if us > 0 and us % 1_000_000 // 100_000 == 5 and us // 1_000_000 not in seen:\n"
        "        seen.append(us // 1_000_000)\n"
        "        up = round((adc.read_u16() / 16 - 2222.5) * 55.95 / 1e4)\n"
        "        print(us // 1_000_000, up, pir())\n"
        "pir.irq(lambda p: print('edge', simclock.now()))\n"
        "machine.Timer(freq=50, callback=tick)\n"
        "time.sleep_ms(7500 - simclock.now() // 1000)\n",
        1,
    )
    async with Fleet(Stairs(), trees, micropython=micropython) as fleet:
        await asyncio.wait_for(fleet.wait(), 30)
        lines = list(fleet.logs["n01"].lines)
        assert fleet.late_blocks == 0
    levels = [line for line in lines if not line.startswith("edge")]
    # On a busy machine it may print an eighth second.
    assert levels[:7] == [f"{s} {s} {s & 1}" for s in range(7)]
    assert [line for line in lines if line.startswith("edge")] == [
        f"edge {s}000000" for s in range(1, 8)
    ]


async def test_node_that_cannot_start_ends_the_fleet_with_its_reason(
    make_trees: MakeTrees, take_of: Callable[..., Take], micropython: Path
) -> None:
    trees = make_trees("pass", 1)
    (trees["n01"] / "main.py").unlink()
    with pytest.raises(SimError, match=r"n01 cannot start: run_node: no main\.py here"):
        async with Fleet(take_of(1), trees, micropython=micropython) as fleet:
            await fleet.wait()


async def test_fleet_that_cannot_start_leaves_no_process(
    make_trees: MakeTrees, take_of: Callable[..., Take], micropython: Path
) -> None:
    trees = make_trees("pass", 2)
    with pytest.raises(SimError, match="no tree for node n03"):
        async with Fleet(take_of(3), trees, micropython=micropython):
            pass
    with pytest.raises(SimError, match="the world has no node n02"):
        async with Fleet(Stairs(), trees, micropython=micropython):
            pass
    assert not nodes_running()


def test_nodes_end_when_the_process_that_started_them_is_killed(
    make_trees: MakeTrees, micropython: Path
) -> None:
    trees = make_trees("import time\ntime.sleep(600)\n", 1)
    script = textwrap.dedent(
        f"""
        import asyncio, sys
        from pathlib import Path
        sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]
        from conftest import make_take
        from sim_hardware.fleet import Fleet
        async def main():
            trees = {{"n01": Path({str(trees["n01"])!r})}}
            async with Fleet(make_take(1), trees, micropython=Path({str(micropython)!r})) as fleet:
                while not fleet._processes: await asyncio.sleep(0.01)
                print(fleet._processes["n01"].pid, flush=True)
                await asyncio.sleep(600)
        asyncio.run(main())
        """
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        node = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.3)  # long enough for the node to have looked at its parent once
        os.kill(parent.pid, signal.SIGKILL)
    node_gone, _ = psutil.wait_procs([node], timeout=10)
    assert node_gone == [node]
