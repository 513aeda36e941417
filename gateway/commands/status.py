# SPDX-License-Identifier: MIT
"""Commands: `groundwatch gateway status`: nodes, alarms and connectors of the running gateway."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import click

from gateway.api.schema.answers import Alarms, Connectors, Nodes
from gateway.commands.client import Client
from gateway.commands.options import config_option, json_option
from gateway.config import load_config
from gateway.store.reader import MAX_LIMIT


@click.command()
@config_option()
@json_option("print one JSON object")
def status(config: Path, as_json: bool) -> None:
    """How many nodes, open alarms and connectors there are, by their states."""
    client = Client(load_config(config).data_dir)
    nodes = Counter(node.state for node in client.get("/nodes", Nodes).nodes)
    found = client.get("/alarms", Alarms, {"state": "open", "limit": MAX_LIMIT})
    unacknowledged = sum(not alarm.acknowledged for alarm in found.alarms)
    connectors = client.get("/connectors", Connectors).connectors
    states = {name: str(one["state"]) for name, one in connectors.items()}
    if as_json:
        facts = {
            "nodes": dict(nodes),
            "open_alarms": len(found.alarms),
            "open_alarms_are_more": found.cursor is not None,
            "unacknowledged_alarms": unacknowledged,
            "connectors": states,
        }
        print(json.dumps({"type": "status", **facts}))
        return
    more = " at least" if found.cursor is not None else ""
    print(f"nodes       {_counted(nodes)}")
    print(f"alarms      {len(found.alarms)} open{more}, {unacknowledged} unacknowledged{more}")
    print(f"connectors  {', '.join(f'{name} {one}' for name, one in states.items()) or 'none'}")


def _counted(states: Mapping[str, int]) -> str:
    words = [f"{count} {state.replace('_', ' ')}" for state, count in sorted(states.items())]
    return f"{sum(states.values())}: {', '.join(words)}" if words else "none"
