# SPDX-License-Identifier: MIT
"""Nodes that retry for ever: a message without a receipt stays in the ledger and is sent again."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.mqtt.session import MqttAccess, MqttSession
from gateway.wire.messages import Phase
from tests.gateway.played_node import PlayedNode

Identity = tuple[str, int, int]
_PERIOD_S = 0.03
_MAX_LEDGER = 100
_AT_ONCE = 3  # of the gate's 100 messages a second


class Node(PlayedNode):
    """One node with its connection; `run` until cancelled."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(name)
        self.made: set[Identity] = set()
        self.making = True
        self._port = port
        self._start_s = time.monotonic()

    @property
    def receipted(self) -> set[Identity]:
        """The messages that this node has removed from its ledger, because receipts came."""
        return self.made - {(self.node, *key) for key in self.ledger}

    @property
    def oldest(self) -> Identity:
        """The first that has no receipt, when there is one."""
        return (self.node, *min(self.ledger))

    async def run(self) -> None:
        while True:
            access = MqttAccess(
                "127.0.0.1", self._port, self.node, self.keys.mqtt_password, self.node, False
            )
            session = MqttSession(access, [self.down], self._on_down, Counter())
            try:
                await session.open()
                session.publish(self.up, self.hello(self._now_ms()))
                while not session.closed.is_set():
                    self._make()
                    oldest = [data for _key, data in sorted(self.ledger.items())[:_AT_ONCE]]
                    for data in oldest[1:]:
                        session.publish(self.up, data)
                    await asyncio.sleep(_PERIOD_S)
                    if oldest:
                        await session.deliver(self.up, oldest[0])
            except (OSError, TimeoutError):
                pass
            finally:
                session.close()
            await asyncio.sleep(0.01)

    def _make(self) -> None:
        if self.making and len(self.ledger) < _MAX_LEDGER:
            self.detection(self._now_ms(), Phase.ONSET)
            self.made.add((self.node, *max(self.ledger)))

    def _now_ms(self) -> int:
        return int(1000 * (time.monotonic() - self._start_s))

    def _on_down(self, _topic: str, payload: bytes, _packet_id: int, _retained: bool) -> None:
        # What was sealed for a connection before this one's hello does not open.
        with contextlib.suppress(ValueError):
            self.open_down(payload)


class Crowd:
    """Some nodes together."""

    def __init__(self, port: int, names: tuple[str, ...] = ("n01", "n02", "n03", "n04")) -> None:
        self.nodes = [Node(name, port) for name in names]

    @property
    def made(self) -> set[Identity]:
        return set().union(*(node.made for node in self.nodes))

    @property
    def receipted(self) -> set[Identity]:
        return set().union(*(node.receipted for node in self.nodes))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(node.run(), name=node.node) for node in self.nodes]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def until_progress(self, rows: int = 1, seconds: float = 30.0) -> None:
        """Wait for `rows` more receipts."""
        wanted = len(self.receipted) + rows
        await self._until(lambda: len(self.receipted) >= wanted, seconds)

    async def until_empty(self, seconds: float = 60.0) -> None:
        """Make no more messages, and wait until every message has its receipt."""
        for node in self.nodes:
            node.making = False
        await self._until(lambda: not any(node.ledger for node in self.nodes), seconds)

    async def _until(self, done: Callable[[], bool], seconds: float) -> None:
        """Raises TimeoutError that lists the oldest message of each node without a receipt."""
        try:
            async with asyncio.timeout(seconds):
                while not done():  # noqa: ASYNC110  # counted, there is no event
                    await asyncio.sleep(0.005)
        except TimeoutError:
            still = ", ".join(str(node.oldest) for node in self.nodes if node.ledger)
            raise TimeoutError(f"no receipt for (node, boot, seq) {still or 'nothing'}") from None


def stored(database: Path) -> Counter[Identity]:
    """Durable rows of a store, and that SQLite finds nothing wrong with the file."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return Counter(db.execute("SELECT node, boot, seq FROM message WHERE lane = 0"))


def assert_all_once(database: Path, crowd: Crowd) -> int:
    """Assert that every message made is stored exactly once; their count."""
    rows = stored(database)
    assert set(rows) == crowd.made
    assert set(rows.values()) == {1}
    return len(rows)
