# SPDX-License-Identifier: MIT
"""Commands: `groundwatch connector`: how connectors are, and a test notification."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import random
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
from gateway.model.place.site import Site
from gateway.outbox.notification import describe_test
from gateway.ports.connector import (
    DELIVERY_TIMEOUT_S,
    ConnectorConfig,
    Context,
    DeliveryError,
    Notifier,
)
from gateway.service.connectors.trial import no_such_notifier
from gateway.store.choose import store_at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "action",
        choices=("list", "test"),
        help="list: how they are in the running gateway; test: send a test notification",
    )
    parser.add_argument("name", nargs="?", help="of one notifier (test; default: all)")
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
            print("gateway.toml has no [[connector]]: alarms are on the page only")
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
    known = client.get("/connectors", Connectors).connectors
    notifiers = [one for one, value in known.items() if "notifier" in value["roles"]]
    names = [name] if name else notifiers
    if not names:
        raise ConfigError("gateway.toml has no connector that notifies: nothing to test")
    with ThreadPoolExecutor(len(names)) as threads:  # each waits for its own recipient

        def test(one: str) -> dict[str, Any]:
            found = client.post(f"/connectors/{part(one)}/test", ConnectorTest)
            return {"output": one, "delivered": found.delivered, "answer": found.answer}

        return list(threads.map(test, names))


def _line(connector: dict[str, Any]) -> str:
    problem = f": {connector['problem']}" if connector["problem"] else ""
    counts = connector.get("counts", connector["counters"])
    counted = ", ".join(f"{count} {name}" for name, count in counts.items()) or "none sent"
    waiting = f"{connector['waiting']} waiting"
    return f"{connector['name']:<16}  {connector['state']}{problem}  ({counted}, {waiting})"


def _by_ourselves(config: GatewayConfig, name: str | None) -> list[dict[str, Any]]:
    """No gateway runs: as it would, from the configuration, and into the audit all the same."""
    site, rng = load_site(config.site), random.Random()
    made = ((one, kind.make(one, Context(site, _utc_us, rng))) for kind, one in config.connectors)
    notifiers = {one.name: (one, by) for one, by in made if isinstance(by, Notifier)}
    if name is not None and name not in notifiers:
        raise ConfigError(no_such_notifier(name, notifiers))
    if not notifiers:
        raise ConfigError("gateway.toml has no connector that notifies: nothing to test")
    by = getpass.getuser()
    chosen = [pair for key, pair in notifiers.items() if name in (None, key)]
    begun = [Entry(by, "output.test", f"output {one.name}") for one, _notifier in chosen]
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


Chosen = Sequence[tuple[ConnectorConfig, Notifier]]


async def _all(chosen: Chosen, site: Site, by: str) -> list[dict[str, Any]]:
    return await asyncio.gather(*(_one(one.name, by_it, site, by) for one, by_it in chosen))


async def _one(name: str, notifier: Notifier, site: Site, by: str) -> dict[str, Any]:
    body = describe_test(site.name, name, by, _utc_us()) | {"delivery": 0}
    try:
        async with asyncio.timeout(1.5 * DELIVERY_TIMEOUT_S):
            answer = await notifier.deliver(body)
    except TimeoutError:
        return {"output": name, "delivered": False, "answer": "no answer in time"}
    except DeliveryError as error:
        return {"output": name, "delivered": False, "answer": str(error)}
    return {"output": name, "delivered": True, "answer": answer}


def _utc_us() -> int:
    return time.time_ns() // 1000
