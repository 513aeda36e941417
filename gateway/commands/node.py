# SPDX-License-Identifier: MIT
"""Commands: `groundwatch node`: nodes as the running gateway knows them, and commands to them."""

from __future__ import annotations

import argparse
import time

import msgspec

from gateway.api.schema.answers import Nodes
from gateway.commands import node_command
from gateway.commands.client import Client, part
from gateway.config import add_option, load_config
from gateway.errors import ConfigError
from gateway.model.actions.node_command import NodeCommandKind
from gateway.model.days_left import DaysLeft
from gateway.model.view import NodeView


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    kinds = [kind.value for kind in NodeCommandKind]
    parser.add_argument("action", choices=("list", "show", *kinds))
    parser.add_argument("name", nargs="?", help="of one node (all actions but list)")
    node_command.add_options(parser)
    add_option(parser)
    parser.add_argument("--json", action="store_true", help="print JSON lines")


def run(args: argparse.Namespace) -> int:
    """0 when done. Raises ConfigError for what the user can mend."""
    client = Client(load_config(args.config).data_dir)
    if args.action == "list":
        for node in client.get("/nodes", Nodes).nodes:
            print(_json(node) if args.json else _line(node))
        return 0
    if args.values and args.action in ("list", "show"):
        raise ConfigError(f"{args.action} takes no {args.values[0][:40]!r}: that is for configure")
    if args.name is None:
        raise ConfigError(f"name the node: groundwatch node {args.action} n01")
    if args.action != "show":
        return node_command.run(args, client)
    node = client.get(f"/nodes/{part(args.name)}", NodeView)
    if args.json:
        print(_json(node))
        return 0
    values = msgspec.to_builtins(node)
    if node.days_left is not None:
        values["days_left"] = _days_left(node.days_left)
    for name in ("radio_share", "asleep_share"):
        if values[name] is not None:
            values[name] = f"{values[name]:.1%}"
    for name, value in values.items():
        if value not in (None, "", [], ()):
            print(f"{name:<18}  {value}")
    return 0


def _line(node: NodeView) -> str:
    seen = "never"
    if node.last_seen_us is not None:
        seen = f"{max(0, time.time_ns() // 1000 - node.last_seen_us) // 1_000_000} s ago"
    battery = "" if node.battery_mv is None else f"  {node.battery_mv / 1000:.2f} V"
    if node.contact_s:
        is_sentinel = (node.settings or {}).get("sampling") == "sentinel"
        mode = "sentinel" if is_sentinel else "radio burst"
        battery += f"  {mode}, next within {-(-node.contact_s // 60)} min"
    conditions = f"  {', '.join(node.conditions)}" if node.conditions else ""
    state = node.state.replace("_", " ")
    return f"{node.id:<16}  {node.sector:<16}  {state:<14}  {seen}{battery}{conditions}"


def _days_left(left: DaysLeft) -> str:
    way = {"trend": "the trend of its voltage", "duty": "its battery and its measured duty"}
    return f"{left.days:.0f} ({left.least:.0f} to {left.most:.0f}), computed from {way[left.basis]}"


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()
