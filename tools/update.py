# SPDX-License-Identifier: MIT
"""`groundwatch update`: have the running gateway bring a release to its nodes, in waves."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import msgspec

from gateway.api.schema.answers import Update
from gateway.api.schema.bodies import ReasonBody, UpdateBody
from gateway.commands.client import Client
from gateway.config import add_option, load_config
from gateway.updates.rollout import DONE
from gateway.updates.waves import DEFAULT
from tools.errors import UserError

_EVERY_S = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", type=Path, nargs="?", help="the release, from groundwatch release")
    add_option(parser)
    parser.add_argument(
        "--wave",
        action="append",
        metavar="NODES",
        help='one wave each: a number, a share like "25%%", names like n01,n07, or "rest"'
        f" (default: {', '.join(DEFAULT)})".replace("%", "%%"),
    )
    parser.add_argument(
        "--failures", type=int, default=0, help="nodes that may fail before it stops (default: 0)"
    )
    parser.add_argument(
        "--soak", type=int, default=60, help="seconds between two waves (default: 60)"
    )
    parser.add_argument(
        "--patience", type=int, default=3600, help="seconds a node may take (default: 3600)"
    )
    parser.add_argument("--no-wait", action="store_true", help="begin and leave")
    parser.add_argument("--status", action="store_true", help="say how far it is")
    parser.add_argument(
        "--stop", metavar="REASON", help="end it; nodes at work keep their firmware"
    )
    parser.add_argument("--json", action="store_true", help="say it as JSON")


def run(args: argparse.Namespace) -> int:
    """0 when all nodes are done (or it only began), 1 when it was stopped."""
    client = Client(load_config(args.config).data_dir)
    if (args.file is not None) + args.status + (args.stop is not None) != 1:
        raise UserError("give a release file, --status or --stop REASON")
    if args.stop is not None:
        stop = client.post("/updates/stop", Update, ReasonBody(reason=args.stop))
        _tell(_plain(stop), args.json)
        return 0
    if args.status:
        _tell(_plain(client.get("/updates", Update)), args.json)
        return 0
    body = UpdateBody(
        file=str(args.file.resolve()),
        waves=tuple(args.wave or DEFAULT),
        max_failures=args.failures,
        soak_s=args.soak,
        patience_s=args.patience,
    )
    rollout = _plain(client.post("/updates", Update, body))
    if args.no_wait:
        _tell(rollout, args.json)
        return 0
    return _follow(client, rollout, args.json)


def _follow(client: Client, rollout: dict[str, Any], as_json: bool) -> int:
    """Tell each change until it has ended; leaving (^C) changes nothing."""
    told: dict[str, str] = {}
    while True:
        if not as_json:
            for node in rollout["nodes"]:
                line = _line(node, rollout["files"])
                if told.get(node["node"]) != line:
                    told[node["node"]] = line
                    print(line, flush=True)
        if rollout["ended"]:
            _tell(rollout, as_json)
            return 0 if rollout["ended"] == DONE else 1
        time.sleep(_EVERY_S)
        rollout = _plain(client.get("/updates", Update))


def _plain(update: Update) -> dict[str, Any]:
    if update.rollout is None:
        raise UserError("this gateway has brought no update yet")
    value: dict[str, Any] = msgspec.to_builtins(update.rollout)
    return value


def _tell(rollout: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rollout))
        return
    counts: dict[str, int] = {}
    for node in rollout["nodes"]:
        counts[node["stage"]] = counts.get(node["stage"], 0) + 1
    words = ", ".join(f"{count} {stage}" for stage, count in sorted(counts.items()))
    print(f"version {rollout['version']}: {rollout['ended'] or 'under way'}; {words}")


def _line(node: dict[str, Any], files: int) -> str:
    if node["stage"] == "ordered" and node["file"]:
        return f"{node['node']}: asks for file {node['file']} of {files}"
    return f"{node['node']}: {node['stage']}" + (f" ({node['reason']})" if node["reason"] else "")
