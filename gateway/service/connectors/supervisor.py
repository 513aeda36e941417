# SPDX-License-Identifier: MIT
"""Service: runs every configured connector, restarts it with backoff, and shows how it is.

A connector cannot stop the gateway. It runs in its own tasks. If it raises, it is restarted. At the
end the gateway waits at most `END_S` for it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import traceback
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.config.notify import NotifierConfig
from gateway.limits import Backoff
from gateway.model.actions.cue import Cue, CueKind, CueReport
from gateway.model.place.site import Site
from gateway.outbox.outbox import Channel, Delivery, Outbox
from gateway.outbox.outbox import Status as DeliveryStatus
from gateway.outbox.worker import DeliveryWorker, RetryPolicy, Settle
from gateway.ports.connector import (
    ConnectorConfig,
    ConnectorType,
    Context,
    CueDevice,
    Notifier,
    Runs,
    Status,
)
from gateway.ports.picture import Picture
from gateway.ports.problems import failure_text
from gateway.service.connectors.cue_devices import CueRunner
from gateway.service.connectors.port import ConnectorPort, Perform, Take

_LOG = logging.getLogger(__name__)
FIRST_WAIT_S, MAX_WAIT_S = 1.0, 60.0
END_S = 1.0

Configured = Sequence[tuple[ConnectorType, ConnectorConfig]]


@dataclass(slots=True)
class Connector:
    """One that is configured, with its parts by role and its tasks while it runs."""

    config: ConnectorConfig
    instance: object
    port: ConnectorPort
    worker: DeliveryWorker | None
    cues: CueRunner | None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def roles(self) -> tuple[str, ...]:
        """runs, notifier, cue_device."""
        found = (
            ("runs", isinstance(self.instance, Runs)),
            ("notifier", self.worker is not None),
            ("cue_device", self.cues is not None),
        )
        return tuple(name for name, has in found if has)


class ConnectorService:
    """Nothing runs before `run`. `wait_s` are the first and the longest wait before a restart."""

    def __init__(
        self,
        site: Site,
        picture: Picture,
        outbox: Outbox,
        *,
        take: Take,
        act: Perform,
        settle: Settle,
        report_cue: Callable[[CueReport], None],
        clock_us: Callable[[], int],
        rng: random.Random | None = None,
        retry: RetryPolicy | None = None,
        wait_s: tuple[float, float] = (FIRST_WAIT_S, MAX_WAIT_S),
    ) -> None:
        self.connectors: dict[str, Connector] = {}
        self._site = site
        self._picture = picture
        self._outbox = outbox
        self._take = take
        self._act = act
        self._settle = settle
        self._report_cue = report_cue
        self._clock_us = clock_us
        self._rng = rng or random.Random()
        self._retry = retry or RetryPolicy()
        self._wait_s = wait_s
        self._is_running = False
        self._ending: set[asyncio.Task[None]] = set()
        # By delivery: each notifier has one test of each recipient under way at most.
        self._tests: dict[int, asyncio.Future[tuple[DeliveryStatus, str]]] = {}

    def prepare(self, configured: Configured) -> dict[str, Connector]:
        """Make the new and the changed connectors; the others keep running. Pass the result to
        `apply`. Raises ConfigError; then nothing has changed."""
        return {config.name: self._connector(kind, config) for kind, config in configured}

    def apply(self, prepared: Mapping[str, Connector], site: Site | None = None) -> None:
        """Use these connectors. The outbox already has its channels (`channels_of`)."""
        if site is not None:
            self._site = site
        before = self.connectors
        self.connectors = dict(prepared)
        ended = {
            name: self._end(one) for name, one in before.items() if prepared.get(name) is not one
        }
        for name, one in self.connectors.items():
            one.port.site = self._site
            if before.get(name) is one:
                continue
            if one.worker is not None:
                pending = self._outbox.pending.values()
                one.worker.take([delivery for delivery in pending if delivery.channel == name])
            if self._is_running:
                self._start(one, ended.get(name, []))

    async def run(self) -> None:
        """Until cancelled."""
        self._is_running = True
        for one in self.connectors.values():
            self._start(one, [])
        try:
            await asyncio.Event().wait()  # connectors may come later
        finally:
            self._is_running = False
            left = set(self._ending)
            for one in self.connectors.values():
                left.update(self._end(one))
            if left:
                _done, stuck = await asyncio.wait(left, timeout=END_S)
                for task in stuck:
                    _LOG.error("%s does not end", task.get_name())

    def deliver(self, deliveries: Iterable[Delivery]) -> None:
        """Pass each to its notifier's worker. Never waits."""
        for delivery in deliveries:
            one = self.connectors.get(delivery.channel)
            if one is None or one.worker is None:
                continue  # it was just removed, and the outbox has settled what waited for it
            if delivery.test:
                self._tests.setdefault(delivery.id, asyncio.get_running_loop().create_future())
            one.worker.take((delivery,))

    def tested(self, delivery: Delivery) -> asyncio.Future[tuple[DeliveryStatus, str]]:
        """The result of a test that was just passed to `deliver`, and the other side's answer."""
        return asyncio.shield(self._tests[delivery.id])

    def on_cue(self, cue: Cue) -> None:
        """A cue has changed: pass a confirmed cue to its device, stop a cue that is over. After a
        restart this is called for every open cue."""
        one = self.connectors.get(cue.device)
        if one is not None and one.cues is not None:
            one.cues.on_cue(cue)

    def status_of(self, name: str) -> Status:
        """Raises KeyError."""
        return self.connectors[name].port.status

    def _connector(self, kind: ConnectorType, config: ConnectorConfig) -> Connector:
        known = self.connectors.get(config.name)
        if known is not None and known.config == config:
            return known
        instance = kind.make(config, Context(self._site, self._clock_us, self._rng))
        status = Status(since_us=self._clock_us())
        port = ConnectorPort(config, self._site, self._picture, status, self._clock_us, self._act)
        worker = cues = None
        if isinstance(instance, Notifier) and isinstance(config, NotifierConfig):
            worker = DeliveryWorker(
                config.name,
                instance,
                self._outbox.pending.__contains__,
                self._over,
                status,
                self._retry,
                self._rng,
                self._clock_us,
            )
        if isinstance(instance, CueDevice):
            cues = CueRunner(config.name, instance, self._report_cue, self._clock_us)
        return Connector(config, instance, port, worker, cues)

    def _start(self, one: Connector, after: Sequence[asyncio.Task[None]]) -> None:
        parts: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = []
        if isinstance(one.instance, Runs):
            instance = one.instance
            parts.append(("run", lambda: instance.run(one.port)))
            parts.append(("offers", lambda: one.port.drain(self._take)))
        if one.worker is not None:
            parts.append(("deliveries", one.worker.run))
        if one.cues is not None:
            parts.append(("cues", one.cues.run))
        for part, run in parts:
            name = f"connector {one.config.name} {part}"
            one.tasks.append(asyncio.create_task(self._keep(one, run, after), name=name))

    async def _keep(
        self,
        one: Connector,
        run: Callable[[], Coroutine[Any, Any, None]],
        after: Sequence[asyncio.Task[None]],
    ) -> None:
        """Run it, and again whenever it ends; never raises. Waits for the one it replaces."""
        if after:
            await asyncio.wait(after, timeout=END_S)
        status, loop = one.port.status, asyncio.get_running_loop()
        backoff, logged = Backoff(*self._wait_s, self._rng), ""
        while True:
            started_s = loop.time()
            problem, where = "it ended by itself", ""
            try:
                await run()
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                problem = failure_text(error)
                # Without its text: that may hold what the other side wrote.
                where = "".join(traceback.format_tb(error.__traceback__)[-3:])
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # Also when the connector ignored its cancellation.
                status.state = "stopped"
                raise asyncio.CancelledError
            status.failing(problem, self._clock_us())
            status.restarts += 1
            if problem != logged:
                _LOG.warning("connector %s: %s\n%s", one.config.name, problem, where)
                logged = problem
            if loop.time() - started_s > self._wait_s[1]:
                backoff.reset()
            await asyncio.sleep(backoff.next_s())

    def _end(self, one: Connector) -> list[asyncio.Task[None]]:
        ended, one.tasks = one.tasks, []
        for task in ended:
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        return ended

    def _over(self, number: int, status: DeliveryStatus, attempts: int, text: str) -> None:
        done = self._tests.pop(number, None)
        if done is not None and not done.done():
            done.set_result((status, text))
        self._settle(number, status, attempts, text)


def devices_of(configured: Configured) -> dict[str, frozenset[CueKind]]:
    """The kinds of cue that each device among them takes, by its connector's name."""
    return {config.name: kind.cues for kind, config in configured if kind.cues}


def channels_of(configs: Iterable[ConnectorConfig]) -> list[Channel]:
    """What the outbox needs to know of the notifiers among them."""
    return [
        Channel(
            one.name,
            one.kind,
            one.priority,
            one.repeat_s * 1_000_000,
            one.per_minute,
            one.recipients,
        )
        for one in configs
        if isinstance(one, NotifierConfig)
    ]
