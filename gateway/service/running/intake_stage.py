# SPDX-License-Identifier: MIT
"""Service: the first stage's task: whatever waits becomes one transaction, then it is acknowledged.

Commit, then acknowledge to the link, then receipt, then hand over to the monitor. While the store
fails entries are handed over all the same, so alarms are still raised; rows wait, bounded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from gateway.intake.taken import Taken
from gateway.model.entry import Entry
from gateway.ports.link import Arrival, Clock, Link
from gateway.service.running.answers import AnswerSender
from gateway.service.running.commits import RETRY_S, Commits
from gateway.service.stages import Stages
from gateway.wire.messages import DownMessage

QUEUE_MAX = 4096  # arrivals waiting; beyond it links hold theirs back or count them as lost
REQUESTS_MAX = 64  # requests waiting beside them
BATCH_MAX = 1024  # in one transaction: a few milliseconds of work between two looks at the links
PENDING_MAX = 20_000  # arrivals kept in memory while the store fails
TICK_S = 0.5


class Work(NamedTuple):
    """Result of a request: entries for the monitor, and the answer."""

    entries: Sequence[Entry] = ()
    answer: Any = None


Request = Callable[[int], Work]
_Item = Arrival | tuple[Request, asyncio.Future[Any] | None]


class IntakeStage:
    """Owns the first stage while it runs; everything that changes it comes through here.

    `hand_over` gives entries to the monitor; `on_received` gets the nodes of each batch, before it
    is committed.
    """

    def __init__(
        self,
        stages: Stages,
        commits: Commits,
        clock: Clock,
        hand_over: Callable[[Sequence[Entry]], None],
        on_received: Callable[[Iterable[str]], None] = lambda _nodes: None,
    ) -> None:
        self.down_unsent = 0
        self._stages = stages
        self._faults = stages.faults
        self._commits = commits
        self._clock = clock
        self._hand_over = hand_over
        self._on_received = on_received
        # A plain queue and an event: asyncio's own costs as much as verifying a message.
        self._queue: deque[_Item] = deque()
        self._something = asyncio.Event()
        self._requests = asyncio.Semaphore(REQUESTS_MAX)
        self._routes: dict[str, Link] = {}
        self._waiting: list[tuple[Taken, Arrival]] = []
        self._replies: list[tuple[Any, asyncio.Future[Any]]] = []
        upto = stages.intake.completeness.stored_upto
        self._answers = AnswerSender(upto, clock, self._send, stages.faults)

    @property
    def queued(self) -> int:
        """Arrivals waiting to be stepped."""
        return len(self._queue)

    def offer(self, arrival: Arrival) -> bool:
        """Accept an arrival; False when full."""
        if len(self._queue) >= QUEUE_MAX:
            return False
        self._queue.append(arrival)
        self._something.set()
        return True

    async def request(self, request: Request) -> Any:
        """Step a request, which no link delivered; its answer, once it is committed."""
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        async with self._requests:
            self._queue.append((request, done))
            self._something.set()
            return await done

    def post(self, request: Request) -> None:
        """The same without waiting: for what is bounded where it comes from."""
        self._queue.append((request, None))
        self._something.set()

    async def run(self) -> None:
        """Step and commit until cancelled; what was stepped is committed before it ends."""
        try:
            while True:
                await self._step(await self._due())
        finally:
            self._answers.close()

    async def _due(self) -> int:
        """How many of those that wait are to be stepped now; 0 when a tick is due."""
        if len(self._waiting) >= PENDING_MAX:
            await asyncio.sleep(RETRY_S)
            return 0
        if not self._queue:
            self._something.clear()
            try:
                async with asyncio.timeout(RETRY_S if self._commits.problem else TICK_S):
                    await self._something.wait()
            except TimeoutError:
                return 0
        return min(BATCH_MAX, len(self._queue))

    async def _step(self, count: int) -> None:
        now_us = self._clock()
        entries = self._stages.pass_time(now_us)
        before = len(self._waiting)
        for _ in range(count):
            # One by one: what is not stepped yet stays, whatever happens to this one.
            item = self._queue.popleft()
            if isinstance(item, Arrival):
                entries += self._receive(item)
            else:
                entries += self._perform(*item, now_us)
        fresh = (taken.node for taken, _ in self._waiting[before:])
        with self._faults.guard("picture of nodes"):
            self._on_received(dict.fromkeys(filter(None, fresh)))
        failing = bool(self._commits.problem)
        if failing:  # a store that fails may be slow: operators are notified first
            self._hand_over(entries)
        stored = await self._commits.commit()
        if not failing:
            self._hand_over(entries)
        if stored:
            self._settle()

    def _receive(self, item: Arrival) -> list[Entry]:
        """One that raises is dropped: it has no receipt, so its node sends it again."""
        taken = Taken()
        with self._faults.guard("an arrival"):
            taken = self._stages.receive(item.arrival_us, item.topic, item.payload)
        if taken.node:
            self._routes[taken.node] = item.link
        self._waiting.append((taken, item))
        with self._faults.guard("an answer"):
            self._answer_time(taken)
        return taken.entries

    def _perform(
        self, request: Request, done: asyncio.Future[Any] | None, now_us: int
    ) -> Sequence[Entry]:
        """A request that raises fails for its caller only."""
        try:
            work = request(now_us)
        except Exception as error:
            if done is None:
                self._faults.report("a request", error)
            elif not done.done():
                done.set_exception(error)
            return ()
        if done is not None:
            self._replies.append((work.answer, done))
        return work.entries

    def _answer_time(self, taken: Taken) -> None:
        """At once: how well a node knows the time depends on how soon its answer comes. Its very
        first answer waits for the store, which has to grant a counter for it."""
        if taken.time_for is None or self._commits.problem:
            return
        if self._stages.intake.downlinks.may_seal(taken.node):
            self._answers.owe_time(*taken.time_for)
            taken.time_for = None

    def _settle(self) -> None:
        """Everything stepped is durable: answer links, nodes and requests. Each by itself: an
        answer that fails takes no other with it."""
        guard = self._faults.guard
        waiting, self._waiting = self._waiting, []
        for taken, arrival in waiting:
            with guard("an acknowledgement"):
                arrival.acknowledge()
            with guard("an answer"):
                if taken.receipt is not None:
                    self._answers.owe_receipt(*taken.receipt)
                if taken.time_for is not None:
                    self._answers.owe_time(*taken.time_for)
        replies, self._replies = self._replies, []
        for answer, done in replies:
            if not done.done():
                done.set_result(answer)
        down, self._stages.down = self._stages.down, []
        for node, message in down:
            with guard("a message to a node"):
                self._send(node, message)

    def _send(self, node: str, message: DownMessage) -> None:
        link = self._routes.get(node)
        sealed = self._stages.intake.downlinks.seal(node, message)
        if link is None or sealed is None or not link.send(*sealed):
            self.down_unsent += 1
