# SPDX-License-Identifier: MIT
"""`groundwatch demo`: a gateway, its console and simulated nodes on one machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.commands.options import NOT_NEGATIVE, json_option
from gateway.config import BrokerConfig, BrokerKind, ConsoleConfig, GatewayConfig
from gateway.keys import create_fleet_root, load_fleet_root
from gateway.service.outcome import Outcome
from tools import micropython
from tools.errors import UserError
from tools.line_printer import LinePrinter
from tools.score.truth import Point
from tools.stop import stop_signals
from tools.trees import write_trees

if TYPE_CHECKING:
    from gateway.app import Gateway
    from sim_hardware.fleet import Fleet
    from sim_hardware.world import World

_MIN_SECONDS, _MAX_SECONDS = 5.0, 86_400.0
# After the last sample, records that nodes still hold reach the store, or count as lost.
_DRAIN_S = 8.0
Identity = tuple[str, int, int]  # node, boot, seq


@dataclass
class Recorder:
    """What the gateway decided while the demo ran, in seconds of the world's time."""

    printer: LinePrinter
    zero_us: int = 0
    alarms: list[dict[str, Any]] = field(default_factory=list)
    seen: set[Identity] = field(default_factory=set)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def see(self, outcome: Outcome) -> None:
        """Take in one step of the gateway's stages."""
        self.seen |= {(d.node, d.activity.boot, d.seq) for d in outcome.detections}
        for line in outcome.lines(self.zero_us):
            if line["type"] == "alarm":
                self.alarms.append(line)
            self.printer.line(line)
        self.moved.set()


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    seconds: float | None
    scenario: str
    seed: int
    port: int
    as_json: bool


@click.command()
@click.option("--seconds", type=float, help="end after this time  [default: until ^C]")
@json_option("print JSON lines; the last is the summary")
@click.option("--scenario", default="demo", help="a name, or a TOML file")
@click.option("--seed", type=NOT_NEGATIVE, default=1, help="seed of the world")
@click.option("--port", type=int, default=8480, help="of the operator console; 0 takes a free one")
def demo(**given: Any) -> None:
    """Run the demo until its time is over or ^C."""
    asked = Request(**given)
    if asked.seconds is not None and not _MIN_SECONDS <= asked.seconds <= _MAX_SECONDS:
        raise UserError("--seconds must be from 5 to 86400, for example --seconds 60")
    if not 0 <= asked.port <= 65535:
        raise UserError("--port must be from 0 to 65535, for example --port 8480")
    # Gateway and simulator take two seconds to import: not for help, and not for a wrong option.
    from gateway.service import daemon_log
    from sim_hardware.world import World, load

    log = daemon_log.start(level=logging.ERROR)
    world = World(load(_scenario(asked.scenario)), asked.seed)
    with tempfile.TemporaryDirectory(prefix="groundwatch-demo-") as folder:
        try:
            summary = asyncio.run(_demo(asked, world, Path(folder)))
        except ExceptionGroup as group:
            # One task failed and cancelled the others: report its error.
            raise group.exceptions[0] from None
        finally:
            log.close()
    LinePrinter(asked.as_json).line(summary)


def _scenario(name: str) -> Path:
    from sim_hardware.world.scenario import SCENARIOS

    path = Path(name)
    if path.suffix == ".toml":
        return path
    known = sorted(path.stem for path in SCENARIOS.glob("*.toml"))
    if name not in known:
        raise UserError(f"no scenario {name}; there are {', '.join(known)}, or give a TOML file")
    return SCENARIOS / f"{name}.toml"


async def _demo(asked: Request, world: World, work: Path) -> dict[str, Any]:
    from gateway.app import Gateway
    from sim_hardware.fleet import Fleet
    from sim_hardware.site import Site, write_site

    site = Site(world.scenario.name, world.nodes, world.sectors, world.scenario.origin)
    write_site(site, work / "site.toml")
    create_fleet_root(work / "fleet.key")
    settings = GatewayConfig(
        data_dir=work / "data",
        site=work / "site.toml",
        fleet_key=work / "fleet.key",
        broker=BrokerConfig(kind=BrokerKind.EMBEDDED, port=0),
        console=ConsoleConfig(port=asked.port, visitor="demo"),
    )
    recorder = Recorder(LinePrinter(asked.as_json))
    async with Gateway(settings) as gateway:
        gateway.on_outcome(recorder.see)
        fleet_root = load_fleet_root(work / "fleet.key")
        trees = write_trees(site, fleet_root, gateway.address[1], work / "trees")
        _greet(recorder.printer, gateway.console_url, len(site.nodes))
        fleet = Fleet(world, trees, micropython=micropython.find(), seed=asked.seed)
        async with fleet:
            recorder.zero_us = round(fleet.t0_utc_s * 1e6)
            elapsed_s = await _until(asked.seconds, gateway, fleet)
            made = {(one.node, one.boot, one.seq) for one in fleet.made}
            await _drain(recorder, made)
        counts = gateway.summary()
    lost = len(made - _stored(settings.data_dir))
    losses = {"messages_lost": lost, "messages_unchecked": fleet.made_unkept}
    return _summary(world, recorder, counts, losses, elapsed_s)


def _greet(printer: LinePrinter, console_url: str, nodes: int) -> None:
    if printer.as_json:
        print(json.dumps({"type": "ready", "console": console_url}), flush=True)
        return
    printer.console.print(
        f"operator console: [bold]{console_url}[/]   (^C ends the demo)\n"
        f"{nodes} nodes run the firmware on simulated hardware; a person is walking already"
    )


async def _until(seconds: float | None, gateway: Gateway, fleet: Fleet) -> float:
    # Seconds of the world's time at the end; a failure of the gateway is raised.
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    failed = asyncio.create_task(gateway.wait())
    with stop_signals() as stop:
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({failed, stopped}, timeout=seconds, return_when="FIRST_COMPLETED")
        stopped.cancel()
    if failed.done():
        failed.result()
    failed.cancel()
    return loop.time() - started_s


async def _drain(recorder: Recorder, made: set[Identity]) -> None:
    # The last messages are still on their way; those that never arrive count as lost.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_S):
            while not made <= recorder.seen:
                recorder.moved.clear()
                await recorder.moved.wait()


def _stored(data_dir: Path) -> set[Identity]:
    # Read from the file after the gateway has closed it: all that is missing was lost.
    with contextlib.closing(sqlite3.connect(data_dir / "groundwatch.db")) as store:
        return set(store.execute("SELECT node, boot, seq FROM detection"))


def _summary(
    world: World,
    recorder: Recorder,
    counts: dict[str, Any],
    losses: dict[str, int],
    elapsed_s: float,
) -> dict[str, Any]:
    from tools.score.crossings import crossing_facts

    points = {node.id: Point(node.x_m, node.y_m) for node in world.nodes}
    return {
        "type": "summary",
        "seconds": round(elapsed_s, 1),
        "nodes": counts["nodes_seen"],
        "messages": counts["messages"],
        "detections": counts["detections"],
        "alarms": len(recorder.alarms),
        **crossing_facts(world.truth(elapsed_s), points, recorder.alarms, elapsed_s),
        **losses,
        "rejected": counts["refused"],
    }
