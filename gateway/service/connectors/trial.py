# SPDX-License-Identifier: MIT
"""Service: a test notification, delivered like any other: outbox, commit, worker, audit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from gateway.errors import ConfigError
from gateway.outbox.outbox import Status
from gateway.service.connectors.supervisor import ConnectorService
from gateway.service.service import Service

# An attempt under way and then this one: below the time that the API waits (gateway.api.routes).
_TEST_S = 28.0


class Tried(NamedTuple):
    """The result of a test to one recipient."""

    recipient: str
    delivered: bool
    answer: str


def summed(tried: Iterable[Tried]) -> tuple[bool, str]:
    """Of all recipients: whether each was reached, and the answers."""
    tests = list(tried)
    answers = [one.answer if len(tests) == 1 else f"{one.recipient}: {one.answer}" for one in tests]
    return all(one.delivered for one in tests), "; ".join(answers)


async def test_notifier(
    service: Service, connectors: ConnectorService, name: str, by: str
) -> tuple[bool, str]:
    """One attempt to each recipient: (whether all were reached, the answers). Raises
    ConfigError."""
    channels = service.stages.outbox.channels
    if name not in channels:
        raise ConfigError(no_such_notifier(name, channels))
    try:
        async with asyncio.timeout(_TEST_S):
            deliveries = await service.test_output(name, by)
            connectors.deliver(deliveries)
            waits = [connectors.tested(delivery) for delivery in deliveries]
            results = await asyncio.gather(*waits)
            await service.flush()  # its record is stored
    except TimeoutError:
        return False, "no answer yet: see the page"
    return summed(
        Tried(delivery.recipient, status is Status.SENT, answer)
        for delivery, (status, answer) in zip(deliveries, results, strict=True)
    )


def no_such_notifier(name: str, known: Iterable[str]) -> str:
    """One line for a name that was mistyped."""
    return f"there is no notifier {name[:32]!r}; there are {', '.join(known) or 'none'}"
