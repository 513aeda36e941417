# SPDX-License-Identifier: MIT
"""Commands: `groundwatch connector`: how connectors are, and a test notification."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

from gateway.api.schema.answers import Connectors, ConnectorTest
from gateway.commands.client import Client, NoGateway, part
from gateway.commands.options import config_option, json_option
from gateway.config import load_config
from gateway.errors import ConfigError


@click.command()
@config_option()
@json_option()
def list_connectors(config: Path, as_json: bool) -> None:
    """The state of each connector of the running gateway."""
    client = Client(load_config(config).data_dir)
    connectors = client.get("/connectors", Connectors).connectors
    for channel in connectors.values():
        print(json.dumps(channel) if as_json else _line(channel))
    if not connectors and not as_json:
        print("gateway.toml has no [[connector]]: alarms are on the page only")


@click.command()
@click.argument("name", required=False)
@config_option()
@json_option()
def test(name: str | None, config: Path, as_json: bool) -> int:
    """A test notification by one notifier or by all; 1 when one was not delivered."""
    loaded = load_config(config)
    try:
        tests = _through_gateway(Client(loaded.data_dir), name)
    except NoGateway:
        # The connectors and the store: a second of imports that the running gateway spares us.
        from gateway.commands.connector_alone import deliver_tests

        tests = deliver_tests(loaded, name)
    for one in tests:
        sign = "delivered" if one["delivered"] else "NOT DELIVERED"
        print(json.dumps(one) if as_json else f"{one['output']}: {sign}: {one['answer']}")
    return 0 if all(one["delivered"] for one in tests) else 1


def _through_gateway(client: Client, name: str | None) -> list[dict[str, Any]]:
    known = client.get("/connectors", Connectors).connectors
    notifiers = [one for one, value in known.items() if "notifier" in value["roles"]]
    names = [name] if name else notifiers
    if not names:
        raise ConfigError("gateway.toml has no connector that notifies: nothing to test")
    with ThreadPoolExecutor(len(names)) as threads:  # each waits for its own recipient

        def delivered(one: str) -> dict[str, Any]:
            found = client.post(f"/connectors/{part(one)}/test", ConnectorTest)
            return {"output": one, "delivered": found.delivered, "answer": found.answer}

        return list(threads.map(delivered, names))


def _line(connector: dict[str, Any]) -> str:
    problem = f": {connector['problem']}" if connector["problem"] else ""
    counts = connector.get("counts", connector["counters"])
    counted = ", ".join(f"{count} {name}" for name, count in counts.items()) or "none sent"
    waiting = f"{connector['waiting']} waiting"
    return f"{connector['name']:<16}  {connector['state']}{problem}  ({counted}, {waiting})"
