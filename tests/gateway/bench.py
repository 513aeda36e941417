# SPDX-License-Identifier: MIT
"""Both stages over a real store behind a switch, and a link that keeps what was sent."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.config.retention import RecordClass
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.errors import StoreError
from gateway.ports.link import Arrival
from gateway.service.outcome import Outcome
from gateway.service.service import Service
from gateway.service.stages import Stages
from gateway.store.interface import Expired, LeftOut, LogRow, Snapshot, Store, Writes
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Receipt
from tests.gateway.played_node import ROOT, PlayedNode, write_site

T0 = 1_790_000_000_000_000


class FailingStore:
    """A real store behind a switch: `full` makes every commit fail, as a full disk does."""

    on_this_machine = True

    def __init__(self) -> None:
        self.full = False
        self.inner: Store = SqliteStore(None)
        self.attempts = 0
        self.attempts_with_messages = 0

    def open(self) -> None:
        self.inner.open()

    @property
    def warning(self) -> str:
        return self.inner.warning

    def load(self) -> Snapshot:
        return self.inner.load()

    def commit(self, writes: Writes) -> None:
        self.attempts += 1
        self.attempts_with_messages += bool(writes.messages)
        if self.full:
            raise StoreError("store: disk full")
        self.inner.commit(writes)

    def commit_what_fits(self, writes: Writes) -> list[LeftOut]:
        if self.full:
            raise StoreError("store: disk full")
        return self.inner.commit_what_fits(writes)

    def log_after(self, after_id: int, limit: int) -> list[LogRow]:
        return self.inner.log_after(after_id, limit)

    def alarms_since(self, raised_us: int, limit: int) -> list[str]:
        return self.inner.alarms_since(raised_us, limit)

    def expired(self, cuts: Mapping[RecordClass, int]) -> dict[RecordClass, Expired]:
        return self.inner.expired(cuts)

    def tidy(self) -> bool:
        return self.inner.tidy()

    def close(self) -> None:
        self.inner.close()

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What SQLite holds."""
        assert isinstance(self.inner, SqliteStore)
        return self.inner._open_db().execute(sql).fetchall()


class PlayedLink:
    name = "test"
    connected = True

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self.sent: list[tuple[str, bytes]] = []
        self.acknowledged = 0

    async def run(self) -> None:
        """Nothing of its own."""

    def send(self, topic: str, payload: bytes) -> bool:
        self.sent.append((topic, payload))
        return True


class Bench:
    """`running()` starts the service; `begin()` begins another process on the same store."""

    def __init__(self, folder: Path, store: Store | None = None) -> None:
        write_site(folder)
        self.site = load_site(folder / "site.toml")
        self.store = FailingStore()
        self.store.inner = store or self.store.inner
        self.outcomes: list[Outcome] = []
        self.link = PlayedLink()
        self.now_us = T0
        self.begin()

    def begin(self) -> None:
        """What a process makes of the store when it starts."""
        self.stages = Stages(self.site, site_keys(self.site, ROOT), self.store.load())
        self.service = Service(self.stages, self.store, self._clock, self.outcomes.append)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.service.start()
        task = asyncio.create_task(self.service.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def offer(self, node: PlayedNode, data: bytes, arrival_us: int | None = None) -> bool:
        def acknowledge() -> None:
            self.link.acknowledged += 1

        arrival = Arrival(arrival_us or self.now_us, node.up, data, self.link, acknowledge)
        return self.service.intake_stage.offer(arrival)

    def receipts(self, node: PlayedNode) -> list[Receipt]:
        sent = [data for topic, data in self.link.sent if topic == node.down]
        opened = [node.open_down(data) for data in sent]
        return [message for message in opened if isinstance(message, Receipt)]

    @property
    def problem(self) -> str:
        return self.service.commits.problem

    def _clock(self) -> int:
        return self.now_us
