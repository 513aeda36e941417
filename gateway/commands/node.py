# SPDX-License-Identifier: MIT
"""Commands: `groundwatch node list|show`: nodes as the running gateway knows them."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from gateway.api.schema.answers import Nodes
from gateway.commands.client import Client, part
from gateway.commands.options import config_option, json_option
from gateway.config import load_config
from gateway.model.days_left import DaysLeft
from gateway.model.view import NodeView


@click.command()
@config_option()
@json_option()
def list_nodes(config: Path, as_json: bool) -> None:
    """One line for each node: sector, state, last contact, battery, conditions."""
    found = Client(load_config(config).data_dir).get("/nodes", Nodes)
    for node in found.nodes:
        print(_json(node) if as_json else _line(node, found.now_us))


@click.command()
@click.argument("name")
@config_option()
@json_option()
def show(name: str, config: Path, as_json: bool) -> None:
    """All that the gateway knows of one node."""
    client = Client(load_config(config).data_dir)
    node = client.get(f"/nodes/{part(name)}", NodeView)
    if as_json:
        print(_json(node))
        return
    values = msgspec.to_builtins(node)
    if node.days_left is not None:
        values["days_left"] = _days_left(node.days_left)
    for share in ("radio_share", "asleep_share"):
        if values[share] is not None:
            values[share] = f"{values[share]:.1%}"
    for field, value in values.items():
        if value not in (None, "", [], ()):
            print(f"{field:<18}  {value}")


def _line(node: NodeView, now_us: int) -> str:
    seen = "never"
    if node.last_seen_us is not None:
        seen = f"{max(0, now_us - node.last_seen_us) // 1_000_000} s ago"
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
