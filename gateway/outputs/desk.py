# SPDX-License-Identifier: MIT
"""Outputs: all couriers of a gateway, and what the page shows of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from typing import Any

from gateway.outputs.config import OutputConfig, OutputKind
from gateway.outputs.courier import Courier, Patience, Settle
from gateway.outputs.delivery import Way
from gateway.outputs.home_assistant import HomeAssistant
from gateway.outputs.mail import Mail
from gateway.outputs.mqtt import Mqtt
from gateway.outbox.outbox import Channel, Delivery, Outbox, Status
from gateway.outputs.web import Ntfy, Webhook

_NEWEST, _SHOWN_MOST = 50, 500
_ASSISTANT = "home assistant"  # no output is called so: theirs have no spaces
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
        self._home_assistant: HomeAssistant | None = None
        self._settle = settle
        self._clock_us = clock_us
        self._patience = patience or Patience()
        self._chance = chance or random.Random()
        self._configs: dict[str, OutputConfig] = {}
        self._couriers: dict[str, Courier] = {}
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # By channel: each has one test under way at most.
        self._tests: dict[str, tuple[int, asyncio.Future[tuple[Status, str]]]] = {}
        self.set_outputs(outputs, home_assistant)

    def set_outputs(
        self, outputs: Sequence[OutputConfig], home_assistant: HomeAssistant | None
    ) -> None:
        """These from now on. Who is as before goes on; what is pending for another begins anew."""
        configs = {output.channel.name: output for output in outputs}
        for name in [n for n, config in self._configs.items() if configs.get(n) != config]:
            self._end(name)
            del self._couriers[name]
        for name, config in configs.items():
            if name not in self._couriers:
                self._couriers[name] = self._courier(config)
                self.take(one for one in self._outbox.pending.values() if one.channel == name)
                self._begin(name, self._couriers[name].run)
        self._configs = configs
        if home_assistant is not self._home_assistant:
            self._end(_ASSISTANT)
            self._home_assistant = home_assistant
            if home_assistant is not None:
                self._begin(_ASSISTANT, home_assistant.run)

    @property
    def home_assistant(self) -> HomeAssistant | None:
        """The one that runs."""
        return self._home_assistant

    def _courier(self, config: OutputConfig) -> Courier:
        return Courier(
            config.channel.name,
            way_of(config),
            self._outbox.pending.__contains__,
            self._over,
            self._patience,
            self._chance,
            self._clock_us,
        )

    def take(self, deliveries: Iterable[Delivery]) -> None:
        """Hand each to its courier. Never waits."""
        for delivery in deliveries:
            courier = self._couriers.get(delivery.channel)
            if courier is None:
                continue  # it was just taken away, and the outbox has settled what waited for it
            if delivery.test:
                self._expect(delivery)
            courier.take((delivery,))

    def _expect(self, delivery: Delivery) -> None:
        known = self._tests.get(delivery.channel)
        if known is None or known[0] != delivery.id:  # else another courier took it over
            done = asyncio.get_running_loop().create_future()
            self._tests[delivery.channel] = (delivery.id, done)

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
        async with asyncio.TaskGroup() as self._group:
            for courier in self._couriers.values():
                self._begin(courier.name, courier.run)
            if self._home_assistant is not None:
                self._begin(_ASSISTANT, self._home_assistant.run)
            await asyncio.Event().wait()  # outputs may come later

    def _begin(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self._group is not None:
            self._tasks[name] = self._group.create_task(run(), name=f"output {name}")

    def _end(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()

    def snapshot(self, alarms: Collection[int] = ()) -> dict[str, Any]:
        """Plain values for the page: each output, the records of the newest deliveries and of those
        about these alarms, the newest first."""
        outbox, assistant = self._outbox, self._home_assistant
        known = sorted((*outbox.recent, *outbox.pending.values()), key=lambda one: -one.id)
        shown = known[:_NEWEST] + [one for one in known[_NEWEST:] if one.alarm_id in alarms]
        return {
            "channels": [self._shown(channel) for channel in outbox.channels.values()],
            "deliveries": [self._record(one) for one in shown[:_SHOWN_MOST]],
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
