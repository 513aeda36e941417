# SPDX-License-Identifier: MIT
"""Outputs: all couriers of a gateway, and what the page shows of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gateway.outputs.config import OutputConfig, OutputKind
from gateway.outputs.courier import Courier, Patience, Settle
from gateway.outputs.delivery import Way
from gateway.outputs.home_assistant import HomeAssistant
from gateway.outputs.mail import Mail
from gateway.outputs.mqtt import Mqtt
from gateway.outputs.outbox import Channel, Delivery, Outbox, Status
from gateway.outputs.web import Ntfy, Webhook

_SHOWN_MOST = 200
_WAYS: dict[OutputKind, Callable[[OutputConfig], Way]] = {
    OutputKind.WEBHOOK: Webhook,
    OutputKind.NTFY: Ntfy,
    OutputKind.EMAIL: Mail,
    OutputKind.MQTT: Mqtt,
}


def way_of(config: OutputConfig) -> Way:
    """How this output tells it."""
    return _WAYS[config.kind](config)


class OutputDesk:
    """Nothing is told before `run`; what was pending when the last run ended goes first."""

    def __init__(
        self,
        outputs: Sequence[OutputConfig],
        outbox: Outbox,
        settle: Settle,
        clock_us: Callable[[], int],
        home_assistant: HomeAssistant | None = None,
        patience: Patience | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._outbox = outbox
        self._left = list(outbox.pending.values())
        self._home_assistant = home_assistant
        self._settle = settle
        # By channel: each has one test under way at most.
        self._tests: dict[str, tuple[int, asyncio.Future[tuple[Status, str]]]] = {}
        self._couriers = {
            config.channel.name: Courier(
                config.channel.name,
                way_of(config),
                outbox.pending.__contains__,
                self._over,
                patience or Patience(),
                chance or random.Random(),
                clock_us,
            )
            for config in outputs
        }

    def take(self, deliveries: Iterable[Delivery]) -> None:
        """Hand each to its courier. Never waits."""
        for delivery in deliveries:
            if delivery.test:
                done = asyncio.get_running_loop().create_future()
                self._tests[delivery.channel] = (delivery.id, done)
            self._couriers[delivery.channel].take((delivery,))

    async def tested(self, delivery: Delivery) -> tuple[Status, str]:
        """What became of a test that was taken, and the other side's answer."""
        number, done = self._tests[delivery.channel]
        assert number == delivery.id
        return await asyncio.shield(done)

    def _over(self, number: int, status: Status, attempts: int, words: str) -> None:
        for test, done in self._tests.values():
            if test == number and not done.done():
                done.set_result((status, words))
        self._settle(number, status, attempts, words)

    async def run(self) -> None:
        """Until cancelled."""
        self.take(self._left)
        async with asyncio.TaskGroup() as tasks:
            for courier in self._couriers.values():
                tasks.create_task(courier.run(), name=f"output {courier.name}")
            if self._home_assistant is not None:
                tasks.create_task(self._home_assistant.run(), name="home assistant")

    def snapshot(self) -> dict[str, Any]:
        """Plain values for the page: each output, the records of the newest deliveries."""
        outbox, assistant = self._outbox, self._home_assistant
        newest = sorted((*outbox.recent, *outbox.pending.values()), key=lambda one: -one.id)
        return {
            "channels": [self._shown(channel) for channel in outbox.channels.values()],
            "deliveries": [self._record(one) for one in newest[:_SHOWN_MOST]],
            "home_assistant": assistant
            and {
                "connected": assistant.connected,
                "problem": assistant.problem,
                "counters": dict(assistant.counters),
            },
        }

    def _shown(self, channel: Channel) -> dict[str, Any]:
        courier = self._couriers[channel.name]
        working = "failing" if courier.problem else "working" if courier.attempts else "untried"
        return {
            "name": channel.name,
            "kind": channel.kind,
            "priority": channel.priority,
            "state": working,
            "since_us": courier.failing_since_us,
            "problem": courier.problem,
            "waiting": courier.waiting,
            "sent_us": self._outbox.sent_us.get(channel.name),
            "counts": dict(self._outbox.counts[channel.name]),
        }

    def _record(self, delivery: Delivery) -> dict[str, Any]:
        courier = self._couriers.get(delivery.channel)
        tried = courier.tried.get(delivery.id, (0, "")) if courier else (0, "")
        return {
            "id": delivery.id,
            "output": delivery.channel,
            "alarm": delivery.alarm_id,
            "change": delivery.change,
            "status": delivery.status.value,
            "attempts": delivery.attempts or tried[0],
            "answer": delivery.receipt or delivery.problem or tried[1],
            "at_us": delivery.at_us,
            "done_us": delivery.done_us,
        }
