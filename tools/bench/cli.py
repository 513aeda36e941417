# SPDX-License-Identifier: MIT
"""Workbench: `groundwatch bench`: speed beside peers, a node beside its goals, a board on metal."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tools.bench import connections, ingest, report
from tools.bench.systems import PEERS
from tools.errors import UserError
from tools.extras import need
from tools.micropython import cache_dir

_MAX_NODES = 10_000  # of one site


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "subject",
        choices=("ingest", "connections", "node", "board"),
        help="ingest: durable messages/s beside a naive script and Node-RED; "
        "connections: many nodes held by the gateway's own broker, and its memory; "
        "node: the firmware on an emulated Pico W beside its goals; "
        "board: a board on metal, part by part, in ten minutes",
    )
    parser.add_argument("--nodes", type=int, default=10_000, help="of connections (default: 10000)")
    parser.add_argument(
        "--seconds", type=float, default=120, help="to hold connections (default: 120)"
    )
    parser.add_argument(
        "--every", type=float, default=30, help="seconds between heartbeats (default: 30)"
    )
    parser.add_argument("--runs", type=int, default=3, help="interleaved runs (default: 3)")
    parser.add_argument(
        "--peers",
        default=",".join(peer.key for peer in PEERS),
        help="comma-separated, of naive and node_red (default: both; node_red needs npm)",
    )
    parser.add_argument(
        "--image", type=Path, help="of node: MicroPython's UF2 (default: $PICO_W_UF2, or the cache)"
    )
    parser.add_argument(
        "--minutes", type=float, default=2, help="of node: time of the board (default: 2)"
    )
    parser.add_argument("--port", help="of board: its serial port, as /dev/ttyACM0")
    parser.add_argument(
        "--alone", action="store_true", help="of board: leave out what needs a person"
    )
    parser.add_argument("--into", type=Path, help="write the table into its place in this file")
    parser.add_argument("--json", action="store_true", help="the last line is JSON")


def run(args: argparse.Namespace) -> int:
    """0 when everything of ours was measured; peers may have failed. Raises UserError."""
    return _SUBJECTS[args.subject](args)


def _connections(args: argparse.Namespace) -> int:
    if not 1 <= args.nodes <= _MAX_NODES:
        raise UserError(f"--nodes must be 1 to {_MAX_NODES}")
    if not 5 <= args.seconds <= 86_400 or not 1 <= args.every <= 300:
        raise UserError("--seconds must be 5 to 86400, --every 1 to 300")
    held = connections.hold(args.nodes, args.seconds, args.every, _progress)
    _report(args, json.dumps(held.to_json()), report.connections_table(held))
    return 0


def _ingest(args: argparse.Namespace) -> int:
    by_key = {peer.key: peer for peer in PEERS}
    words = [word for word in args.peers.split(",") if word]
    if unknown := [word for word in words if word not in by_key]:
        raise UserError(f"--peers: {unknown[0]!r} is none of {', '.join(by_key)}")
    if not 1 <= args.runs <= 99:
        raise UserError("--runs must be 1 to 99")
    result = ingest.bench([by_key[word] for word in words], args.runs, _progress)
    _report(args, json.dumps(result.to_json()), report.ingest_table(result))
    return 0 if result.ours_ran else 1


def _node(args: argparse.Namespace) -> int:
    """1 when a goal was missed."""
    if not 0.5 <= args.minutes <= 1440:
        raise UserError("--minutes must be 0.5 to 1440")
    need("rp2040py", "littlefs")
    from sim_hardware.emulated.image import find
    from sim_hardware.errors import SimError

    try:
        image = find(args.image, cache_dir())
    except SimError as error:
        raise UserError(str(error)) from None
    from tools.bench import node

    figures = node.bench(image, args.minutes, _progress)
    _report(args, json.dumps(figures.to_json()), node.table(figures))
    return 1 if figures.missed() else 0


def _board(args: argparse.Namespace) -> int:
    """1 when something is not as it has to be."""
    if args.port is None:
        raise UserError("--port is missing: the board's serial port, as --port /dev/ttyACM0")
    from tools.bench import board

    checks = board.check(args.port, None if args.alone else input, _progress)
    _report(args, json.dumps(board.to_json(checks)), board.table(checks))
    return 0 if all(one.is_good for one in checks) else 1


def _report(args: argparse.Namespace, as_json: str, table: str) -> None:
    if args.into is not None:
        report.write_into(args.into, args.subject, table)
    print(as_json if args.json else table)


_SUBJECTS = {"ingest": _ingest, "connections": _connections, "node": _node, "board": _board}


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
