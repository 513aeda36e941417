# SPDX-License-Identifier: MIT
"""Commands: test notifications where no gateway runs: as it would send them, and recorded too."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

from gateway.audit.offline import Entry, record
from gateway.commands import offline_clock
from gateway.config import GatewayConfig
from gateway.config.notify import NotifierConfig
from gateway.config.site import load_site
from gateway.errors import ConfigError
from gateway.model.place.site import Site
from gateway.outbox.notification import describe_test
from gateway.ports.connector import (
    DELIVERY_TIMEOUT_S,
    Context,
    DeliveryError,
    Notifier,
)
from gateway.service.connectors.trial import Tried, no_such_notifier, summed
from gateway.store.choose import store_at
from gateway.terminal import login_name


def deliver_tests(config: GatewayConfig, name: str | None) -> list[dict[str, Any]]:
    """By one notifier of the configuration, or by all. Raises GroundwatchError."""
    site, rng = load_site(config.site), random.Random()
    now_us = offline_clock.now(config.store).us
    context = Context(site, lambda: now_us, rng)
    made = ((one, kind.make(one, context)) for kind, one in config.connectors)
    notifiers = {
        one.name: (one, by)
        for one, by in made
        if isinstance(by, Notifier) and isinstance(one, NotifierConfig)
    }
    if name is not None and name not in notifiers:
        raise ConfigError(no_such_notifier(name, notifiers))
    if not notifiers:
        raise ConfigError("gateway.toml has no connector that notifies: nothing to test")
    by = login_name()
    chosen = [pair for key, pair in notifiers.items() if name in (None, key)]
    started = [Entry(by, "output.test", f"output {one.name}") for one, _notifier in chosen]
    record(store_at(config.store), config.data_dir, started)
    tests = asyncio.run(_all(chosen, site, by, now_us))
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


Chosen = Sequence[tuple[NotifierConfig, Notifier]]


async def _all(chosen: Chosen, site: Site, by: str, now_us: int) -> list[dict[str, Any]]:
    return await asyncio.gather(*(_one(one, by_it, site, by, now_us) for one, by_it in chosen))


async def _one(
    config: NotifierConfig, notifier: Notifier, site: Site, by: str, now_us: int
) -> dict[str, Any]:
    body = describe_test(site.name, config.name, by, now_us) | {"delivery": 0}
    tried = [await _try(notifier, body, recipient) for recipient in config.recipients]
    delivered, answer = summed(tried)
    return {"output": config.name, "delivered": delivered, "answer": answer}


async def _try(notifier: Notifier, body: dict[str, Any], recipient: str) -> Tried:
    try:
        async with asyncio.timeout(1.5 * DELIVERY_TIMEOUT_S):
            answer = await notifier.deliver(body | ({"to": recipient} if recipient else {}))
    except TimeoutError:
        return Tried(recipient, False, "no answer in time")
    except DeliveryError as error:
        return Tried(recipient, False, str(error))
    return Tried(recipient, True, answer)
