# SPDX-License-Identifier: MIT
"""Service: the second stage's task: reads committed entries, steps, commits, publishes.

Entries are handed over in memory. After a restart, and when it fell behind, it reads the log. It
gives the event loop back between entries, so that intake waits for one step of fusion at most.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from gateway.errors import StoreError
from gateway.model.entry import Entry
from gateway.monitor.inputs import Unreadable, decoded
from gateway.service.commits import RETRY_S, Commits
from gateway.service.committer import Committer
from gateway.service.outcome import Outcome
from gateway.service.stages import Stages
from gateway.store.interface import LogRow, Store

_LOG = logging.getLogger(__name__)
HANDED_MAX = 10_000  # entries in memory; beyond it the log is read
PORTION = 500  # entries of the log read at once
SLICE_S = 0.002  # then the event loop is given back
TICK_S = 0.25


class MonitorStage:
    """`publish` gets every outcome, after its commit; while the store fails, before it."""

    def __init__(
        self,
        stages: Stages,
        commits: Commits,
        committer: Committer,
        store: Store,
        clock_us: Callable[[], int],
        publish: Callable[[Outcome], None],
    ) -> None:
        self.behind = False
        self.publish_failures = 0
        self._stages = stages
        self._commits = commits
        self._committer = committer
        self._store = store
        self._clock_us = clock_us
        self._publish = publish
        self._handed: deque[Entry] = deque()
        self._something = asyncio.Event()
        self._awaited: dict[int, asyncio.Future[Outcome]] = {}
        self._at_us = 0
        self._settled: list[tuple[asyncio.Future[Outcome], Outcome]] = []

    @property
    def waiting(self) -> int:
        """Entries handed over and not processed."""
        return len(self._handed)

    def hand_over(self, entries: Sequence[Entry]) -> None:
        """These are committed, or cannot be for now. Never waits."""
        if not entries:
            return
        # What is not stored cannot be read again: then memory holds it, bounded by intake.
        if not self._commits.problem and len(self._handed) + len(entries) > HANDED_MAX:
            self.behind = True
        if not self.behind:
            self._handed += entries
        self._something.set()

    def outcome_of(self, entry_id: int) -> asyncio.Future[Outcome]:
        """What the entry will have changed, once that is committed."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._awaited[entry_id] = future
        return future

    def catch_up(self) -> list[Outcome]:
        """At a start: what an earlier run took in and did not process. Raises StoreError."""
        outcomes: list[Outcome] = []
        while rows := self._store.log_after(self._stages.monitor.cursor, PORTION):
            outcomes += [self._stages.process(_entry(row)) for row in rows]
        return outcomes

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wait()
            outcomes = await self._process()
            outcomes.append(self._stages.tick_monitor(self._time_us()))
            failing = bool(self._commits.problem)
            if failing:
                self._tell(outcomes)
            stored = await self._commits.commit()
            if not failing:
                self._tell(outcomes)
            if stored:
                settled, self._settled = self._settled, []
                for future, outcome in settled:
                    if not future.done():
                        future.set_result(outcome)

    def _time_us(self) -> int:
        """Now; with entries waiting, the time of the newest that was processed: an event must not
        end for silence while its next report waits here."""
        now_us = self._clock_us()
        return min(now_us, self._at_us) if self._handed or self.behind else now_us

    async def _wait(self) -> None:
        if self._handed or self.behind:
            return
        self._something.clear()
        try:
            async with asyncio.timeout(TICK_S):
                await self._something.wait()
        except TimeoutError:
            pass

    async def _process(self) -> list[Outcome]:
        """Entries that wait now, at most a slice of time without giving the loop back."""
        loop = asyncio.get_running_loop()
        outcomes: list[Outcome] = []
        began_s = loop.time()
        for entry in await self._entries():
            outcome = self._stages.process(entry)
            self._at_us = entry.at_us
            outcomes.append(outcome)
            future = self._awaited.pop(entry.id, None)
            if future is not None:
                self._settled.append((future, outcome))
            if loop.time() - began_s >= SLICE_S:
                await asyncio.sleep(0)
                began_s = loop.time()
        return outcomes

    async def _entries(self) -> list[Entry]:
        if self._handed:
            return list(self._taken())
        if not self.behind:
            return []
        try:
            rows = await self._committer.call(
                self._store.log_after, self._stages.monitor.cursor, PORTION
            )
        except StoreError as error:
            _LOG.error("monitor cannot read the log: %s", error)
            await asyncio.sleep(RETRY_S)
            return []
        if len(rows) < PORTION and not self._commits.unstored:
            # No await from here on: what is committed from now on is handed over.
            newest = rows[-1].id if rows else self._stages.monitor.cursor
            self.behind = newest < self._stages.intake.log.last_id
        return [_entry(row) for row in rows]

    def _taken(self) -> Iterator[Entry]:
        for _ in range(min(PORTION, len(self._handed))):
            yield self._handed.popleft()

    def _tell(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            try:
                self._publish(outcome)
            except Exception:  # a fault of a listener must not end the watch
                self.publish_failures += 1
                _LOG.exception("publishing failed")


def _entry(row: LogRow) -> Entry:
    try:
        return Entry(row.id, row.at_us, row.source, decoded(row.kind, row.value))
    except ValueError:
        return Entry(row.id, row.at_us, row.source, Unreadable(row.kind))
