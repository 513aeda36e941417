# SPDX-License-Identifier: MIT
"""The door: the one task that steps the pipeline; whatever waits becomes one transaction.

Commit, then acknowledge to the link, then receipt. While the store fails nothing is acknowledged
and no receipt goes out, so nodes keep what they have; alarms are still raised, and rows wait,
bounded.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from gateway.config.retention import Retention
from gateway.errors import StoreError
from gateway.intake.answers import AnswerDesk
from gateway.intake.committer import Committer
from gateway.intake.keeper import Keeper
from gateway.links.interface import Arrival, Clock, Link
from gateway.model.acts import Act
from gateway.pipeline import Outcome, Pipeline
from gateway.store.interface import Store, Writes
from gateway.wire.messages import DownMessage

_LOG = logging.getLogger(__name__)
QUEUE_MOST = 4096  # arrivals waiting; beyond it links hold theirs back or count them as lost
REQUESTS_MOST = 64  # operators' acts waiting beside them
BATCH_MOST = 1024  # in one transaction: a few milliseconds of work between two looks at the links
PENDING_MOST = 20_000  # arrivals kept in memory while the store fails
TICK_S = 0.5
_RETRY_S = 0.5

Request = Callable[[int], Outcome]
_Item = Arrival | tuple[Request, asyncio.Future[Outcome] | None]


class Writer:
    """Owns the pipeline while it runs; everything that changes it comes through here.

    `on_committed` is called where a commit was made, `on_outcome` in the event loop.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        clock: Clock,
        on_outcome: Callable[[Outcome], None],
        on_committed: Callable[[Writes], None] = lambda _writes: None,
        retention: Retention | None = None,
    ) -> None:
        self.store_problem = ""
        self.store_failures = 0
        self.commits = 0
        self.down_unsent = 0
        self._pipeline = pipeline
        self._store = store
        self._clock = clock
        self._on_outcome = on_outcome
        self._committer = Committer(store, on_committed)
        self._keeper = Keeper(retention or Retention())
        # A plain queue and an event: asyncio's own costs as much as verifying a message.
        self._queue: deque[_Item] = deque()
        self._something = asyncio.Event()
        self._requests = asyncio.Semaphore(REQUESTS_MOST)
        self._routes: dict[str, Link] = {}
        self._pending = Writes()
        self._waiting: list[tuple[Outcome, Arrival]] = []
        self._replies: list[tuple[Outcome, asyncio.Future[Outcome]]] = []
        self._desk = AnswerDesk(pipeline.safe_upto, clock, self._send)

    @property
    def queued(self) -> int:
        """Arrivals waiting to be stepped."""
        return len(self._queue)

    @property
    def unstored(self) -> int:
        """Messages stepped but not committed."""
        return len(self._pending.messages)

    def offer(self, arrival: Arrival) -> bool:
        """Take an arrival in; False when full."""
        if len(self._queue) >= QUEUE_MOST:
            return False
        self._queue.append(arrival)
        self._something.set()
        return True

    async def act(self, act: Act) -> Outcome:
        """What an operator does, committed when this returns; `done` when it was possible."""
        return await self.request(lambda now_us: self._pipeline.act(now_us, act))

    async def request(self, work: Request) -> Outcome:
        """Step something that no link brought, with the time; committed when this returns."""
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        async with self._requests:
            self._queue.append((work, done))
            self._something.set()
            return await done

    async def alarms_since(self, raised_us: int, limit: int) -> list[str]:
        """JSON of alarms raised since then, newest first; read between two commits.

        Raises StoreError.
        """
        return await self._committer.call(self._store.alarms_since, raised_us, limit)

    def post(self, work: Request) -> None:
        """The same without waiting: for what is bounded where it comes from."""
        self._queue.append((work, None))
        self._something.set()

    async def run(self) -> None:
        """Step and commit until cancelled; what was stepped is committed before it ends."""
        try:
            while True:
                await self._step(await self._gather())
                if not self.store_problem and self._keeper.due(self._clock()):
                    await self._look_for_old()
        finally:
            self._desk.close()
            self._pending.absorb(self._pipeline.take_writes())  # entries of the audit since
            if self._pending:
                await asyncio.shield(self._commit())
            self._committer.close()

    async def _gather(self) -> list[_Item]:
        """What waits now, or nothing when a tick is due."""
        if len(self._waiting) >= PENDING_MOST:
            await asyncio.sleep(_RETRY_S)
            return []
        if not self._queue:
            self._something.clear()
            try:
                async with asyncio.timeout(_RETRY_S if self.store_problem else TICK_S):
                    await self._something.wait()
            except TimeoutError:
                return []
        return [self._queue.popleft() for _ in range(min(BATCH_MOST, len(self._queue)))]

    async def _step(self, batch: list[_Item]) -> None:
        now_us = self._clock()
        fresh = [self._pipeline.tick(now_us)]
        for item in batch:
            if isinstance(item, Arrival):
                outcome = self._pipeline.uplink(item.arrival_us, item.topic, item.payload)
                if outcome.node:
                    self._routes[outcome.node] = item.link
                self._waiting.append((outcome, item))
                self._tell_time(outcome)
            else:
                request, done = item
                outcome = request(now_us)
                if done is not None:
                    self._replies.append((outcome, done))
            fresh.append(outcome)
        self._pending.absorb(self._pipeline.take_writes())
        failing = bool(self.store_problem)
        if failing:  # a store that fails may take its time about it: operators are told first
            self._tell(fresh)
        stored = not self._pending or await self._commit()
        if not failing:
            self._tell(fresh)
        if stored:
            self._settle()
            for outcome in fresh:
                for node, message in outcome.down:
                    self._send(node, message)

    def _tell_time(self, outcome: Outcome) -> None:
        """At once: how well a node knows the time hangs on how soon its answer comes. Its very
        first answer waits for the store, which has to grant a counter for it."""
        if outcome.time_for is None or self.store_problem:
            return
        if self._pipeline.may_seal_down(outcome.node):
            self._desk.owe_time(*outcome.time_for)
            outcome.time_for = None

    def _tell(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            self._on_outcome(outcome)

    async def _look_for_old(self) -> None:
        """What is older than it may be goes with the next commit, a portion of it."""
        now_us, store = self._clock(), self._store
        cuts = self._keeper.retention.cuts(now_us)
        try:
            expired = await self._committer.call(store.expired, cuts)
            self._pipeline.erase(now_us, expired)
            self._keeper.looked(now_us, bool(expired))
            if self._keeper.untidy and not expired:
                self._keeper.untidy = not await self._committer.call(store.tidy)
        except StoreError as error:
            self._keeper.looked(now_us, False)
            _LOG.error("cannot erase what is older than it may be: %s", error)

    async def _commit(self) -> bool:
        """True when everything pending is durable."""
        try:
            await self._committer.commit(self._pending)
        except StoreError as error:
            self.store_failures += 1
            if not self.store_problem:
                _LOG.error("cannot store: receipts stop, nodes keep their messages: %s", error)
            self.store_problem = str(error)
            return False
        if self.store_problem:
            _LOG.warning("store works again rows=%d", len(self._pending.messages))
        self.store_problem = ""
        self.commits += 1
        self._pipeline.committed(self._pending)
        self._pending = Writes()
        return True

    def _settle(self) -> None:
        """Everything stepped is durable: tell links, nodes and operators."""
        waiting, self._waiting = self._waiting, []
        for outcome, arrival in waiting:
            arrival.acknowledge()
            if outcome.receipt is not None:
                self._desk.owe_receipt(*outcome.receipt)
            if outcome.time_for is not None:
                self._desk.owe_time(*outcome.time_for)
        replies, self._replies = self._replies, []
        for outcome, done in replies:
            if not done.done():
                done.set_result(outcome)

    def _send(self, node: str, message: DownMessage) -> None:
        link = self._routes.get(node)
        sealed = self._pipeline.seal_down(node, message)
        if link is None or sealed is None or not link.send(*sealed):
            self.down_unsent += 1
