# SPDX-License-Identifier: MIT
"""Outbox: one delivery worker per notifier takes what is pending there and tries until it is over.

Each waits for its own receiver only. What one attempt may cost is bounded by a timeout, how many
there may be by `RetryPolicy`; the outbox bounds how many deliveries wait.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gateway.limits import wait_after
from gateway.outbox.notification import delayed
from gateway.outbox.outbox import Delivery
from gateway.outbox.outbox import Status as DeliveryStatus
from gateway.ports.connector import DELIVERY_TIMEOUT_S, DeliveryError, Notifier, Status

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a delivery is tried: waits of `first_s`, doubled up to `max_s`, with jitter."""

    first_s: float = 2.0
    max_s: float = 300.0
    attempts: int = 150  # about 12 hours: a night in which a server or a network is away
    timeout_s: float = 1.5 * DELIVERY_TIMEOUT_S

    def wait_s(self, attempts: int, rng: random.Random) -> float:
        """Before the next attempt, after so many (jitter keeps many sites off one server)."""
        return wait_after(attempts, self.first_s, self.max_s, rng)


class _Due(NamedTuple):
    at_s: float
    attempts: int
    delivery: Delivery


# (delivery number, result, attempts, receipt or problem).
Settle = Callable[[int, DeliveryStatus, int, str], None]


class DeliveryWorker:
    """Of one notifier. `status` shows whether its last attempt worked; `tried` holds of deliveries
    that are not over how often they were tried, and the problem."""

    def __init__(
        self,
        name: str,
        notifier: Notifier,
        wanted: Callable[[int], bool],
        settle: Settle,
        status: Status,
        retry: RetryPolicy,
        rng: random.Random,
        clock_us: Callable[[], int],
    ) -> None:
        self.name = name
        self.notifier = notifier
        self.status = status
        self.retry = retry
        self.tried: dict[int, tuple[int, str]] = {}
        self._wanted = wanted
        self._settle = settle
        self._rng = rng
        self.clock_us = clock_us
        self._due: dict[int, _Due] = {}
        self._arrived = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Deliveries not over yet."""
        return len(self._due)

    def take(self, deliveries: Iterable[Delivery]) -> None:
        """To be delivered as soon as possible. Never waits."""
        now_s = asyncio.get_running_loop().time()
        for delivery in deliveries:
            if delivery.id not in self._due:
                self._due[delivery.id] = _Due(now_s, 0, delivery)
        self._arrived.set()

    async def run(self) -> None:
        """Until cancelled; what is not over then is resumed by the next start."""
        loop = asyncio.get_running_loop()
        while True:
            now_s = loop.time()
            ready = [due for due in self._due.values() if due.at_s <= now_s]
            if not ready:
                wait_s = min((due.at_s - now_s for due in self._due.values()), default=None)
                self._arrived.clear()
                try:
                    async with asyncio.timeout(wait_s):
                        await self._arrived.wait()
                except TimeoutError:
                    pass
                continue
            # Where many wait for a server that was away, the urgent go first, then the newest.
            due = min(ready, key=lambda one: (one.delivery.priority, -one.delivery.id))
            if self._wanted(due.delivery.id):
                await self._attempt(due)
            else:
                self._forget(due.delivery.id)

    async def _attempt(self, due: _Due) -> None:
        self.status.counters["attempts"] += 1
        number, attempts = due.delivery.id, due.attempts + 1
        body = delayed(json.loads(due.delivery.body), self.clock_us())
        try:
            async with asyncio.timeout(self.retry.timeout_s):
                receipt = await self.notifier.deliver(body)
        except TimeoutError:
            error = DeliveryError("no answer in time")
        except DeliveryError as refused:
            error = refused
        except Exception as bug:  # whatever a receiver does, the gateway goes on
            # Without its text: that may hold what the other side wrote.
            where = "".join(traceback.format_tb(bug.__traceback__))
            _LOG.error("connector %s: %s\n%s", self.name, type(bug).__name__, where)
            error = DeliveryError(f"an error of our own: {type(bug).__name__}")
        else:
            self.status.connected(self.clock_us())
            self._over(number, DeliveryStatus.SENT, attempts, receipt)
            return
        problem = str(error)
        self.status.failing(problem, self.clock_us())
        _LOG.warning("connector %s attempt=%d problem=%r", self.name, attempts, problem)
        if not error.again or attempts >= self.retry.attempts or due.delivery.test:
            self._over(number, DeliveryStatus.FAILED, attempts, problem)
            return
        self.tried[number] = (attempts, problem)
        wait_s = max(self.retry.wait_s(attempts, self._rng), error.after_s)
        at_s = asyncio.get_running_loop().time() + wait_s
        self._due[number] = _Due(at_s, attempts, due.delivery)

    def _over(self, number: int, status: DeliveryStatus, attempts: int, text: str) -> None:
        self._forget(number)
        self._settle(number, status, attempts, text)

    def _forget(self, number: int) -> None:
        self._due.pop(number, None)
        self.tried.pop(number, None)
