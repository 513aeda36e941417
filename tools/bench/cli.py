# SPDX-License-Identifier: MIT
"""Workbench: `groundwatch bench`: speed beside peers, a node beside its goals, a real board."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from gateway.commands.options import PATH, json_option
from gateway.terminal import ask
from tools.bench import connections as many
from tools.bench import ingest as durable
from tools.bench import report
from tools.bench.systems import PEERS
from tools.errors import UserError
from tools.extras import need
from tools.micropython import cache_dir

_MAX_NODES = 10_000  # of one site


_into = click.option(
    "--into", type=PATH, metavar="FILE", help="write the table into its place in this file"
)
_json = json_option("the last line is JSON")


@click.command()
@click.option("--runs", type=int, default=3, help="interleaved runs")
@click.option(
    "--peers",
    default=",".join(peer.key for peer in PEERS),
    help="comma-separated, of naive and node_red; node_red needs npm",
)
@_into
@_json
def ingest(runs: int, peers: str, into: Path | None, as_json: bool) -> int:
    """0 when all of our figures were measured; peers may have failed."""
    by_key = {peer.key: peer for peer in PEERS}
    words = [word for word in peers.split(",") if word]
    if unknown := [word for word in words if word not in by_key]:
        raise UserError(f"--peers: {unknown[0]!r} is none of {', '.join(by_key)}")
    if not 1 <= runs <= 99:
        raise UserError("--runs must be 1 to 99")
    _check(into, "ingest")
    result = durable.bench([by_key[word] for word in words], runs, _progress)
    _report("ingest", into, as_json, json.dumps(result.to_json()), report.ingest_table(result))
    return 0 if result.ours_ran else 1


@click.command()
@click.option("--nodes", type=int, default=10_000, help="how many")
@click.option("--seconds", type=float, default=120, help="to hold the connections")
@click.option("--every", type=float, default=30, help="seconds between heartbeats")
@_into
@_json
def connections(nodes: int, seconds: float, every: float, into: Path | None, as_json: bool) -> None:
    """Many nodes at the gateway's own broker, and its memory."""
    if not 1 <= nodes <= _MAX_NODES:
        raise UserError(f"--nodes must be 1 to {_MAX_NODES}")
    if not 5 <= seconds <= 86_400 or not 1 <= every <= 300:
        raise UserError("--seconds must be 5 to 86400, --every 1 to 300")
    _check(into, "connections")
    held = many.hold(nodes, seconds, every, _progress)
    table = report.connections_table(held)
    _report("connections", into, as_json, json.dumps(held.to_json()), table)


@click.command()
@click.option("--rows", type=int, default=1_000_000, help="messages in the store")
@click.option("--seconds", type=float, default=20, help="of commits, without and with erasing")
@_into
@_json
def erase(rows: int, seconds: float, into: Path | None, as_json: bool) -> None:
    """How long commits take while old records are erased."""
    if not 1000 <= rows <= 100_000_000 or not 1 <= seconds <= 3600:
        raise UserError("--rows must be 1000 to 100000000, --seconds 1 to 3600")
    from tools.bench import erase as old

    found = old.bench(rows, seconds, _progress)
    _report("erase", into, as_json, json.dumps(found.to_json()), old.table(found))


@click.command()
@click.option("--image", type=PATH, help="MicroPython's UF2  [default: $PICO_W_UF2, or the cache]")
@click.option("--minutes", type=float, default=2, help="time of the board")
@_into
@_json
def node(image: Path | None, minutes: float, into: Path | None, as_json: bool) -> int:
    """1 when a goal was missed."""
    if not 0.5 <= minutes <= 1440:
        raise UserError("--minutes must be 0.5 to 1440")
    need("rp2040py", "littlefs")
    _check(into, "node")
    from sim_hardware.emulated.image import find

    found = find(image, cache_dir())
    from tools.bench import node as emulated

    figures = emulated.bench(found, minutes, _progress)
    _report("node", into, as_json, json.dumps(figures.to_json()), emulated.table(figures))
    return 1 if figures.missed() else 0


@click.command()
@click.option("--port", help="its serial port, as /dev/ttyACM0")
@click.option("--alone", is_flag=True, help="leave out what needs a person")
@_into
@_json
def board(port: str | None, alone: bool, into: Path | None, as_json: bool) -> int:
    """1 when a check fails."""
    if port is None:
        raise UserError("--port is missing: the board's serial port, as --port /dev/ttyACM0")
    _check(into, "board")
    from tools.bench import board as metal

    checks = metal.check(port, None if alone else ask, _progress)
    _report("board", into, as_json, json.dumps(metal.to_json(checks)), metal.table(checks))
    return 0 if all(one.is_good for one in checks) else 1


def _report(subject: str, into: Path | None, as_json: bool, facts: str, table: str) -> None:
    # Printed first: a file that cannot be written does not cost the work.
    print(facts if as_json else table, flush=True)
    if into is not None:
        report.write_into(into, subject, table)


def _check(into: Path | None, subject: str) -> None:
    """Before the work begins."""
    if into is not None:
        report.written_into(into, subject, "")


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
