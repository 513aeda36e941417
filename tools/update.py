# SPDX-License-Identifier: MIT
"""`groundwatch node update`: the running gateway updates its nodes to a release, in waves."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from gateway.api.schema.answers import Update
from gateway.api.schema.bodies import ReasonBody, UpdateBody
from gateway.commands.client import Client
from gateway.commands.options import PATH, config_option, json_option
from gateway.config import load_config
from gateway.updates.rollout import DONE
from gateway.updates.waves import DEFAULT
from tools.errors import UserError

_EVERY_S = 1.0


@click.command()
@click.argument("file", type=PATH, required=False)
@config_option()
@click.option(
    "--wave",
    "waves",
    multiple=True,
    metavar="NODES",
    help='one wave each: a number, a share like "25%", names like n01,n07, or "rest"'
    f"  [default: {', '.join(DEFAULT)}]",
)
@click.option("--failures", type=int, default=0, help="nodes that may fail before it stops")
@click.option("--soak", type=int, default=60, help="seconds between two waves")
@click.option(
    "--node-timeout", "node_timeout_s", type=int, default=3600, help="seconds for each node"
)
@click.option("--no-wait", is_flag=True, help="start it and return")
@click.option("--status", is_flag=True, help="show the progress")
@click.option("--stop", metavar="REASON", help="end it; unfinished nodes keep their firmware")
@json_option("print it as JSON")
def update(
    file: Path | None,
    config: Path,
    waves: Sequence[str],
    failures: int,
    soak: int,
    node_timeout_s: int,
    no_wait: bool,
    status: bool,
    stop: str | None,
    as_json: bool,
) -> int:
    """0 when all nodes are done (or it only started), 1 when it was stopped."""
    client = Client(load_config(config).data_dir)
    if (file is not None) + status + (stop is not None) != 1:
        raise UserError("give a release file, --status or --stop REASON")
    if stop is not None:
        _show(_plain(client.post("/updates/stop", Update, ReasonBody(reason=stop))), as_json)
        return 0
    if file is None:
        _show(_plain(client.get("/updates", Update)), as_json)
        return 0
    body = UpdateBody(
        file=str(file.resolve()),
        waves=tuple(waves) or DEFAULT,
        max_failures=failures,
        soak_s=soak,
        node_timeout_s=node_timeout_s,
    )
    rollout = _plain(client.post("/updates", Update, body))
    if no_wait:
        _show(rollout, as_json)
        return 0
    return _follow(client, rollout, as_json)


def _follow(client: Client, rollout: dict[str, Any], as_json: bool) -> int:
    """Print each change until the update has ended; ^C does not stop the update."""
    shown: dict[str, str] = {}
    while True:
        if not as_json:
            for node in rollout["nodes"]:
                line = _line(node, rollout["files"])
                if shown.get(node["node"]) != line:
                    shown[node["node"]] = line
                    print(line, flush=True)
        if rollout["ended"]:
            _show(rollout, as_json)
            return 0 if rollout["ended"] == DONE else 1
        time.sleep(_EVERY_S)
        rollout = _plain(client.get("/updates", Update))


def _plain(update: Update) -> dict[str, Any]:
    if update.rollout is None:
        raise UserError("this gateway has run no update yet")
    value: dict[str, Any] = msgspec.to_builtins(update.rollout)
    return value


def _show(rollout: dict[str, Any], as_json: bool) -> None:
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
