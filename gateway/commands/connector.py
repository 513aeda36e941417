# SPDX-License-Identifier: MIT
"""Commands: `groundwatch connector`: how connectors are, and a test notification."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gateway.api.schema.answers import Connectors
from gateway.api.service import ConnectorTest
from gateway.audit.offline import Entry, record
from gateway.commands.client import Client, NoGateway, part
from gateway.config import GatewayConfig, add_option, load_config
from gateway.config.site import load_site
from gateway.errors import ConfigError
from gateway.outputs.config import OutputConfig
from gateway.outputs.delivery import TIMEOUT_S, DeliveryError
from gateway.outputs.desk import way_of
from gateway.outputs.notification import describe_test
from gateway.outputs.orders import no_such_output
from gateway.store.choose import store_at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "action",
        choices=("list", "test"),
        help="list: how they are in the running gateway; test: send a test notification",
    )
    parser.add_argument("name", nargs="?", help="of one output (test; default: all)")
    add_option(parser)
    parser.add_argument("--json", action="store_true", help="print JSON lines")


def run(args: argparse.Namespace) -> int:
    """0, or 1 when a test was not delivered. Raises GroundwatchError for what the user can mend."""
    config = load_config(args.config)
    if args.action == "list":
        connectors = Client(config.data_dir).get("/connectors", Connectors).connectors
        for channel in connectors.values():
            print(json.dumps(channel) if args.json else _line(channel))
        if not connectors and not args.json:
            print("gateway.toml has no [[output]]: alarms are told on the page only")
        return 0
    try:
        tests = _through_gateway(Client(config.data_dir), args.name)
    except NoGateway:
        tests = _by_ourselves(config, args.name)
    for test in tests:
        sign = "delivered" if test["delivered"] else "NOT DELIVERED"
        print(json.dumps(test) if args.json else f"{test['output']}: {sign}: {test['answer']}")
    return 0 if all(test["delivered"] for test in tests) else 1


def _through_gateway(client: Client, name: str | None) -> list[dict[str, Any]]:
    names = [name] if name else list(client.get("/connectors", Connectors).connectors)
    if not names:
        raise ConfigError("gateway.toml has no [[output]]: nothing to test")
    with ThreadPoolExecutor(len(names)) as threads:  # each waits for its own recipient

        def test(one: str) -> dict[str, Any]:
            found = client.post(f"/connectors/{part(one)}/test", ConnectorTest)
            return {"output": one, "delivered": found.delivered, "answer": found.answer}

        return list(threads.map(test, names))


def _line(channel: dict[str, Any]) -> str:
    problem = f": {channel['problem']}" if channel["problem"] else ""
    counts = ", ".join(f"{count} {name}" for name, count in channel["counts"].items())
    waiting = f"{channel['waiting']} waiting"
    return (
        f"{channel['name']:<16}  {channel['state']}{problem}  ({counts or 'none sent'}, {waiting})"
    )


def _by_ourselves(config: GatewayConfig, name: str | None) -> list[dict[str, Any]]:
    """No gateway runs: as it would, from the configuration, and into the audit all the same."""
    names = [output.channel.name for output in config.outputs]
    if name is not None and name not in names:
        raise ConfigError(no_such_output(name, names))
    if not names:
        raise ConfigError("gateway.toml has no [[output]]: nothing to test")
    by = getpass.getuser()
    site = load_site(config.site).name
    chosen = [output for output in config.outputs if name in (None, output.channel.name)]
    begun = [Entry(by, "output.test", f"output {output.channel.name}") for output in chosen]
    record(store_at(config.store), config.data_dir, begun)
    tests = asyncio.run(_all(chosen, site, by))
    ended = [
        Entry(
            by,
            "output.sent" if test["delivered"] else "output.failed",
            "test",
            test["answer"],
            {"attempts": 1, "change": "test", "output": test["output"]},
        )
        for test in tests
    ]
    record(store_at(config.store), config.data_dir, ended)
    return tests


async def _all(outputs: Sequence[OutputConfig], site: str, by: str) -> list[dict[str, Any]]:
    return await asyncio.gather(*(_one(output, site, by) for output in outputs))


async def _one(output: OutputConfig, site: str, by: str) -> dict[str, Any]:
    name, now_us = output.channel.name, time.time_ns() // 1000
    body = describe_test(site, name, by, now_us) | {"delivery": 0}
    try:
        async with asyncio.timeout(1.5 * TIMEOUT_S):
            answer = await way_of(output).deliver(body)
    except TimeoutError:
        return {"output": name, "delivered": False, "answer": "no answer in time"}
    except DeliveryError as error:
        return {"output": name, "delivered": False, "answer": str(error)}
    return {"output": name, "delivered": True, "answer": answer}
