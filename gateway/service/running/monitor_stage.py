# SPDX-License-Identifier: MIT
"""Service: the second stage's task: reads committed entries, steps, commits, publishes.

Entries are handed over in memory. After a restart, and when it fell behind, it reads the log. It
gives the event loop back between entries, so that intake waits for one step of fusion at most.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from gateway.errors import StoreError
from gateway.model.entry import Entry
from gateway.monitor.inputs import Unreadable, decoded
from gateway.service.outcome import Outcome
from gateway.service.running.commits import RETRY_S, Commits
from gateway.service.running.committer import Committer
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
        self._idle = False  # the last read of the log gave nothing
        self._stages = stages
        self._commits = commits
        self._committer = committer
        self._store = store
        self._clock_us = clock_us
        self._publish = publish
        self._handed: deque[Entry] = deque()
        self._upto = stages.monitor.cursor  # the newest entry that was handed over or read
        self._something = asyncio.Event()
        self._awaited: dict[int, asyncio.Future[Outcome]] = {}
        self._at_us = 0
        self._outcomes: list[Outcome] = []  # not published yet
        self._settled: list[tuple[asyncio.Future[Outcome], Outcome]] = []

    @property
    def waiting(self) -> int:
        """Entries handed over and not processed."""
        return len(self._handed)

    def hand_over(self, entries: Sequence[Entry]) -> None:
        """These are committed, or cannot be for now. Never waits."""
        # Those that another commit stored first may have been read from the log already.
        fresh = [entry for entry in entries if entry.id > self._upto]
        if not fresh:
            return
        # What is not stored cannot be read again: then memory holds it, bounded by intake.
        full = len(self._handed) + len(fresh) > HANDED_MAX and not self._commits.problem
        # Intake failed between numbering entries and handing them over: they are in the log.
        if full or fresh[0].id != self._upto + 1:
            self.behind = True
        if not self.behind:
            self._handed += fresh
            self._upto = fresh[-1].id
        self._something.set()

    def outcome_of(self, entry_id: int) -> asyncio.Future[Outcome]:
        """What the entry will have changed, once that is committed."""
        if entry_id not in self._awaited:
            self._awaited[entry_id] = asyncio.get_running_loop().create_future()
        return self._awaited[entry_id]

    def catch_up(self) -> list[Outcome]:
        """At a start: what an earlier run took in and did not process. Raises StoreError."""
        outcomes: list[Outcome] = []
        while rows := self._store.log_after(self._stages.monitor.cursor, PORTION):
            outcomes += [self._stages.process(_entry(row)) for row in rows]
        # There may be numbers beyond the cursor whose entries are erased.
        self._upto = self._stages.intake.log.last_id
        return outcomes

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wait()
            await self._process()
            self._outcomes.append(self._stages.tick_monitor(self._time_us()))
            failing = bool(self._commits.problem)
            if failing:
                self._publish_all()
            stored = await self._commits.commit()
            if not failing:
                self._publish_all()
            if stored:
                settled, self._settled = self._settled, []
                for future, outcome in settled:
                    if not future.done():
                        future.set_result(outcome)

    def _time_us(self) -> int:
        """Now; with entries waiting, the time of the newest that was processed: an event must not
        end for silence while its next report waits here."""
        now_us = self._clock_us()
        waiting = self._handed or self.behind
        return min(now_us, self._at_us) if waiting and self._at_us else now_us

    async def _wait(self) -> None:
        if self._handed or self.behind:
            return
        self._something.clear()
        try:
            async with asyncio.timeout(TICK_S):
                await self._something.wait()
        except TimeoutError:
            pass

    async def _process(self) -> None:
        """Entries that wait now, at most a slice of time without giving the loop back."""
        if self.behind and not self._handed:
            await self._read()
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        for _ in range(min(PORTION, len(self._handed))):
            # One by one: what is not processed yet stays, whatever happens to this one.
            entry = self._handed.popleft()
            future = self._awaited.pop(entry.id, None)
            try:
                outcome = self._stages.process(entry)
            except Exception as error:
                self._stages.faults.report("a step of the monitor", error)
                if future is not None and not future.done():
                    future.set_exception(error)
                continue
            self._at_us = entry.at_us
            self._outcomes.append(outcome)
            if future is not None:
                self._settled.append((future, outcome))
            if loop.time() - started_s >= SLICE_S:
                await asyncio.sleep(0)
                started_s = loop.time()

    async def _read(self) -> None:
        """A portion of the log beyond what was processed."""
        if self._idle:  # what is missing may never come: a row that the store did not accept
            await asyncio.sleep(TICK_S)
        try:
            rows = await self._committer.call(
                self._store.log_after, self._stages.monitor.cursor, PORTION
            )
        except StoreError as error:
            _LOG.error("monitor cannot read the log: %s", error)
            await asyncio.sleep(RETRY_S)
            return
        self._handed += [_entry(row) for row in rows]
        self._idle = not rows
        self._upto = rows[-1].id if rows else self._stages.monitor.cursor
        # No await from here on: what is committed from now on is handed over.
        self.behind = self._upto < self._stages.intake.log.last_id

    def _publish_all(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        for outcome in outcomes:
            with self._stages.faults.guard("publishing"):
                self._publish(outcome)


def _entry(row: LogRow) -> Entry:
    try:
        return Entry(row.id, row.at_us, row.source, decoded(row.kind, row.value))
    except Exception:  # whatever it is, it is reported when it is processed
        return Entry(row.id, row.at_us, row.source, Unreadable(row.kind))
