# SPDX-License-Identifier: MIT
"""Outputs: what people ask of them in the running gateway: how they are, and a test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from gateway.errors import ConfigError
from gateway.outputs.desk import OutputDesk
from gateway.outbox.outbox import Status
from gateway.service.service import Service

# An attempt under way and then this one: below the time that the API waits (gateway.api.routes).
_TEST_S = 28.0


class OutputOrders:
    """Tests go the way of all notifications: outbox, commit, courier, audit."""

    def __init__(self, service: Service, desk: OutputDesk) -> None:
        self._service = service
        self._desk = desk

    async def test(self, name: str, by: str) -> dict[str, Any]:
        """One try: whether it was delivered, and the answer. Raises ConfigError."""
        if name not in self._service.stages.outbox.channels:
            raise ConfigError(no_such_output(name, self._service.stages.outbox.channels))
        result = {"output": name, "delivered": False, "answer": "no answer yet: see the page"}
        try:
            async with asyncio.timeout(_TEST_S):
                delivery = await self._service.test_output(name, by)
                self._desk.take([delivery])
                status, answer = await self._desk.tested(delivery)
                result |= {"delivered": status is Status.SENT, "answer": answer}
                await self._service.flush()  # its record is stored
        except TimeoutError:
            pass
        return result


def no_such_output(name: str, known: Iterable[str]) -> str:
    """One line for who mistyped it."""
    return f"there is no output {name[:32]!r}; there are {', '.join(known) or 'none'}"
