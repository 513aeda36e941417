# SPDX-License-Identifier: MIT
"""Workbench, bench: the node on official firmware in an emulator, beside its goals.

A gateway runs beside it. Detections are written to flash and sent, the Wi-Fi is lost once, and the
gateway delivers an update (tools.bench.node_run). All times are the board's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.api.schema.answers import Update
from gateway.api.schema.bodies import UpdateBody
from gateway.commands.client import Client
from gateway.errors import ConfigError
from sim_hardware import take
from sim_hardware.emulated.client import Client as BoardClient
from sim_hardware.emulated.image import program_of, release_of
from sim_hardware.errors import SimError
from sim_hardware.world import World, load
from sim_hardware.world.scenario import SCENARIOS
from tools.bench import node_run, node_site
from tools.bench.node_run import GC_GOAL_US, LOOK_S, WALK_S, WIFI_LOST_MS, Ask, Report
from tools.errors import UserError
from tools.release import make_release

_START_S = 900.0  # the first start on a machine compiles the emulator
_VERSION = "999.0.0"  # of the update: this firmware, newer than any


@dataclass(frozen=True)
class Goal:
    """One figure: what it must not exceed."""

    name: str
    unit: str
    most: float


GOALS = (
    Goal("first_sample_s", "s from power-on to the first sample", 4.0),
    Goal("unfed_s", "s at most without feeding the watchdog", 3.0),
    Goal("gc_ms", "ms at most for a collection", GC_GOAL_US / 1e3),
    Goal("cpu_pct", "% of the processor, the whole node", 10.0),
    Goal("heap_used_kb", "KB of heap used at the start", 110.0),
    Goal("samples_missed", "samples missed", 0.0),
)


@dataclass(frozen=True)
class Figures:
    """The figures of one run; `minutes` emulated.

    The processor's share is that of the samples, a thousand a second of the board's time, at which
    it was not asleep: sampling, detector, ledger, radio and interpreter together. `cpu_pct` leaves
    out `update_s`, from the start of the update to the first heartbeat of the new firmware. That
    time has its own `cpu_update_pct`, `gc_update_ms` and `first_sample_update_s`.
    """

    release: str
    minutes: float
    wall_s: float
    first_sample_s: float
    first_sample_update_s: float
    unfed_s: float
    gc_ms: float
    gc_update_ms: float
    cpu_pct: float
    cpu_update_pct: float
    update_s: float
    heap_used_kb: float
    samples_missed: int
    detections: int

    def to_json(self) -> dict[str, object]:
        """Figures, their goals, and those goals that they did not meet."""
        return {
            **asdict(self),
            "goals": {goal.name: goal.most for goal in GOALS},
            "missed_goals": [goal.name for goal in self.missed()],
        }

    def missed(self) -> list[Goal]:
        """Goals that were not met."""
        return [goal for goal in GOALS if getattr(self, goal.name) > goal.most]


def table(figures: Figures) -> str:
    """One row for each goal."""
    lines = ["| figure | measured | goal | |", "|---|---|---|---|"]
    for goal in GOALS:
        value = getattr(figures, goal.name)
        shown = f"{value:,.0f}" if isinstance(value, int) else f"{value:.2f}"
        word = "met" if value <= goal.most else "**missed**"
        lines.append(f"| {goal.unit} | {shown} | <= {goal.most:g} | {word} |")
    how = (
        f"MicroPython {figures.release} on an emulated Pico W, {figures.minutes:g} minutes of the "
        f"board with {figures.detections} reports of walks written to flash, a Wi-Fi loss of "
        f"{WIFI_LOST_MS // 1000} s and an update, in {figures.wall_s:.0f} s. The processor's state "
        "is sampled a thousand times a second; its share counts the samples at which it was not "
        f"asleep. In the {figures.update_s:.0f} s of the update and the start after it, the share "
        f"was {figures.cpu_update_pct:.0f} %, and a collection took {figures.gc_update_ms:.1f} ms "
        "at most. That start copies the new files and took "
        f"{figures.first_sample_update_s:.2f} s to its first sample. Both rows leave this out; "
        "samples missed are of both starts. A real board takes 1.0 to 1.2 times as long for code; "
        "erases of flash take no time here."
    )
    return "\n".join((*lines, "", how))


def bench(image: Path, minutes: float, report: Report) -> Figures:
    """Raises UserError when the image is none, or when the node does not come up."""
    try:
        program_of(image)
        release = release_of(image) or "unknown"
        with tempfile.TemporaryDirectory(prefix="groundwatch-bench-") as folder:
            return asyncio.run(_bench(image, release, minutes, Path(folder), report))
    except (SimError, ConfigError) as error:
        raise UserError(str(error)) from None


async def _bench(
    image: Path, release: str, minutes: float, folder: Path, report: Report
) -> Figures:
    start_s = time.monotonic()
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    update = folder / "update.gwr"
    update.write_bytes(make_release(node_site.BOARD, _VERSION, key))
    async with node_site.gateway(folder, public) as gateway:
        port = gateway.address[1]
        tree = node_site.tree(folder, port, public)
        boot = tree / "boot.py"
        boot.write_text(boot.read_text() + node_run.TIMED)
        take.save(World(load(SCENARIOS / "bench_walker.toml"), 7).take(WALK_S), folder / "walk")
        report("the emulated board starts (a minute or two)")
        with _board(image, folder, tree, port) as ask:
            run = node_run.NodeRun(ask, lambda: _order(folder / "data", update), report)
            found = await asyncio.to_thread(run.measure, folder / "walk", minutes)
    return Figures(
        release=release,
        minutes=round(found.minutes, 2),
        wall_s=time.monotonic() - start_s,
        first_sample_s=found.first_sample_s,
        first_sample_update_s=found.first_sample_update_s,
        unfed_s=found.unfed_s,
        gc_ms=found.gc_ms,
        gc_update_ms=found.gc_update_ms,
        cpu_pct=found.working.pct,
        cpu_update_pct=found.updating.pct,
        update_s=found.updating.looks * LOOK_S,
        heap_used_kb=found.heap_used_kb,
        samples_missed=found.samples_missed,
        detections=found.detections,
    )


def _order(data: Path, update: Path) -> None:
    """As `groundwatch node update` does it."""
    body = UpdateBody(file=str(update), waves=(node_site.NODE,), soak_s=0, node_timeout_s=86_400)
    Client(data).post("/updates", Update, body)


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
                lines = log.read_text().strip().splitlines() or ["it printed nothing"]
                raise UserError(f"the emulated board does not start: {lines[-1]}")
            time.sleep(0.05)
        with BoardClient(control) as client:
            yield client.ask
    finally:
        process.terminate()
        process.wait()
