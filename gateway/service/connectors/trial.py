# SPDX-License-Identifier: MIT
"""Service: a test notification, delivered like any other: outbox, commit, worker, audit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from gateway.errors import ConfigError
from gateway.outbox.outbox import Status
from gateway.service.connectors.supervisor import ConnectorService
from gateway.service.service import Service

# An attempt under way and then this one: below the time that the API waits (gateway.api.routes).
_TEST_S = 28.0


async def test_notifier(
    service: Service, connectors: ConnectorService, name: str, by: str
) -> tuple[bool, str]:
    """One attempt: (whether it was delivered, the answer). Raises ConfigError."""
    channels = service.stages.outbox.channels
    if name not in channels:
        raise ConfigError(no_such_notifier(name, channels))
    try:
        async with asyncio.timeout(_TEST_S):
            delivery = await service.test_output(name, by)
            connectors.deliver([delivery])
            status, answer = await connectors.tested(delivery)
            await service.flush()  # its record is stored
    except TimeoutError:
        return False, "no answer yet: see the page"
    return status is Status.SENT, answer


def no_such_notifier(name: str, known: Iterable[str]) -> str:
    """One line for a name that was mistyped."""
    return f"there is no notifier {name[:32]!r}; there are {', '.join(known) or 'none'}"
