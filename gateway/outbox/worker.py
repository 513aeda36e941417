# SPDX-License-Identifier: MIT
"""Outbox: one delivery worker per notifier takes what is pending there and tries until it is over.

Each waits for its own receiver only. What one attempt may cost is bounded by a timeout, how many
there may be by `RetryPolicy`; the outbox bounds how many deliveries wait.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import logging
import random
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gateway.limits import wait_after
from gateway.outbox.outbox import Delivery
from gateway.outbox.outbox import Status as DeliveryStatus
from gateway.ports.connector import DELIVERY_TIMEOUT_S, DeliveryError, Notifier, Status

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a delivery is tried: waits of `first_s`, doubled up to `max_s`, with jitter."""

    first_s: float = 2.0
    max_s: float = 300.0
    attempts: int = 12  # about 25 minutes: later it is of no use
    timeout_s: float = 1.5 * DELIVERY_TIMEOUT_S

    def wait_s(self, attempts: int, rng: random.Random) -> float:
        """Before the next attempt, after so many (jitter keeps many sites off one server)."""
        return wait_after(attempts, self.first_s, self.max_s, rng)


class _Due(NamedTuple):
    at_s: float
    number: int
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
        self._clock_us = clock_us
        self._due: list[_Due] = []
        self._queued: set[int] = set()
        self._arrived = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Deliveries not over yet."""
        return len(self._due)

    def take(self, deliveries: Iterable[Delivery]) -> None:
        """To be delivered as soon as possible. Never waits."""
        now_s = asyncio.get_running_loop().time()
        for delivery in deliveries:
            if delivery.id not in self._queued:
                self._queued.add(delivery.id)
                heapq.heappush(self._due, _Due(now_s, delivery.id, 0, delivery))
        self._arrived.set()

    async def run(self) -> None:
        """Until cancelled; what is not over then is resumed by the next start."""
        loop = asyncio.get_running_loop()
        while True:
            wait_s = self._due[0].at_s - loop.time() if self._due else None
            if wait_s is None or wait_s > 0:
                self._arrived.clear()
                try:
                    async with asyncio.timeout(wait_s):
                        await self._arrived.wait()
                except TimeoutError:
                    pass
                continue
            due = heapq.heappop(self._due)
            if self._wanted(due.number):
                await self._attempt(due)
            else:
                self._forget(due.number)

    async def _attempt(self, due: _Due) -> None:
        self.status.counters["attempts"] += 1
        attempts = due.attempts + 1
        try:
            async with asyncio.timeout(self.retry.timeout_s):
                receipt = await self.notifier.deliver(json.loads(due.delivery.body))
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
            self.status.connected(self._clock_us())
            self._over(due.number, DeliveryStatus.SENT, attempts, receipt)
            return
        problem = str(error)
        self.status.failing(problem, self._clock_us())
        _LOG.warning("connector %s attempt=%d problem=%r", self.name, attempts, problem)
        if not error.again or attempts >= self.retry.attempts or due.delivery.test:
            self._over(due.number, DeliveryStatus.FAILED, attempts, problem)
            return
        self.tried[due.number] = (attempts, problem)
        wait_s = max(self.retry.wait_s(attempts, self._rng), error.after_s)
        at_s = asyncio.get_running_loop().time() + wait_s
        heapq.heappush(self._due, _Due(at_s, due.number, attempts, due.delivery))

    def _over(self, number: int, status: DeliveryStatus, attempts: int, text: str) -> None:
        self._forget(number)
        self._settle(number, status, attempts, text)

    def _forget(self, number: int) -> None:
        self._queued.discard(number)
        self.tried.pop(number, None)
