# SPDX-License-Identifier: MIT
"""Outputs: what people ask of them in the running gateway: how they are, and a test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from gateway.errors import ConfigError
from gateway.intake.writer import Writer
from gateway.outputs.desk import OutputDesk
from gateway.outputs.outbox import Status
from gateway.pipeline import Outcome, Pipeline

# An attempt under way and then this one: below the time that the API waits (gateway.api.routes).
_TEST_S = 28.0


class OutputOrders:
    """Tests go the way of all notifications: outbox, commit, courier, audit."""

    def __init__(self, pipeline: Pipeline, writer: Writer, desk: OutputDesk) -> None:
        self._pipeline = pipeline
        self._writer = writer
        self._desk = desk

    async def test(self, name: str, by: str) -> dict[str, Any]:
        """One try: whether it was delivered, and the answer. Raises ConfigError."""
        if name not in self._pipeline.outbox.channels:
            raise ConfigError(no_such_output(name, self._pipeline.outbox.channels))
        result = {"output": name, "delivered": False, "answer": "no answer yet: see the page"}
        try:
            async with asyncio.timeout(_TEST_S):
                outcome = await self._writer.request(
                    lambda now_us: self._pipeline.test_output(now_us, name, by)
                )
                if not outcome.done:
                    raise ConfigError(f"a test of {name} is under way: wait for it")
                status, answer = await self._desk.tested(outcome.deliveries[0])
                result |= {"delivered": status is Status.SENT, "answer": answer}
                await self._writer.request(lambda _now_us: Outcome())  # its record is stored
        except TimeoutError:
            pass
        return result


def no_such_output(name: str, known: Iterable[str]) -> str:
    """One line for who mistyped it."""
    return f"there is no output {name[:32]!r}; there are {', '.join(known) or 'none'}"
