# SPDX-License-Identifier: MIT
"""The writer: commit, then acknowledge, then receipt; and what it does when the store fails."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from gateway.config.retention import RecordClass
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.errors import StoreError
from gateway.intake import writer as writer_module
from gateway.intake.writer import Writer
from gateway.links.interface import Arrival
from gateway.service.outcome import Outcome
from gateway.service.stages import Stages
from gateway.store.interface import Expired, Snapshot, Writes
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Receipt, Time
from tests.gateway.played_node import ROOT, PlayedNode, until, write_site

T0 = 1_790_000_000_000_000


class FailingStore:
    """A real store behind a switch: `full` makes every commit fail, as a full disk does."""

    on_this_machine = True

    def __init__(self) -> None:
        self.full = False
        self.inner = SqliteStore(None)
        self.attempts = 0

    def open(self) -> None:
        self.inner.open()

    def load(self) -> Snapshot:
        return self.inner.load()

    def commit(self, writes: Writes) -> None:
        self.attempts += 1
        if self.full:
            raise StoreError("store: disk full")
        self.inner.commit(writes)

    def alarms_since(self, raised_us: int, limit: int) -> list[str]:
        return self.inner.alarms_since(raised_us, limit)

    def expired(self, cuts: Mapping[RecordClass, int]) -> dict[RecordClass, Expired]:
        return self.inner.expired(cuts)

    def tidy(self) -> bool:
        return self.inner.tidy()

    def close(self) -> None:
        self.inner.close()


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
    def __init__(self, folder: Path) -> None:
        write_site(folder)
        site = load_site(folder / "site.toml")
        self.store = FailingStore()
        self.pipeline = Stages(site, site_keys(site, ROOT), self.store.load())
        self.outcomes: list[Outcome] = []
        self.writer = Writer(self.pipeline, self.store, lambda: T0, self.outcomes.append)
        self.link = PlayedLink()

    def offer(self, node: PlayedNode, data: bytes) -> bool:
        def acknowledge() -> None:
            self.link.acknowledged += 1

        return self.writer.offer(Arrival(T0, node.up, data, self.link, acknowledge))

    def receipts(self, node: PlayedNode) -> list[Receipt]:
        opened = [node.open_down(data) for _topic, data in self.link.sent]
        return [message for message in opened if isinstance(message, Receipt)]


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(writer_module, "_RETRY_S", 0.05)
    made = Bench(tmp_path)
    task = asyncio.create_task(made.writer.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_writer_acknowledges_and_receipts_after_the_commit(bench: Bench) -> None:
    node = PlayedNode("n01")
    for number in range(50):
        bench.offer(node, node.detection(number))
    await until(lambda: bench.link.acknowledged == 50)
    assert bench.store.load().messages == 50
    assert bench.receipts(node)[-1].upto == (1, 50)
    assert len(bench.link.sent) == 1  # one receipt for the burst
    assert bench.store.attempts <= 2  # one transaction for the burst


async def test_writer_store_fails_alarms_go_on_receipts_stop_and_all_recovers(
    bench: Bench,
) -> None:
    nodes = [PlayedNode("n01"), PlayedNode("n02")]
    bench.store.full = True
    for node in nodes:
        bench.offer(node, node.detection(1000))
    await until(lambda: bench.writer.store_problem)
    await until(lambda: any(outcome.alarms for outcome in bench.outcomes))
    assert bench.link.acknowledged == 0
    assert bench.link.sent == []
    assert bench.writer.unstored == 2
    for node in nodes:
        bench.offer(node, max(node.ledger.values()))  # the node tries again: still nothing
    await asyncio.sleep(0.2)
    assert bench.link.sent == []
    bench.store.full = False
    await until(lambda: bench.link.acknowledged == 4)
    assert bench.writer.store_problem == ""
    snapshot = bench.store.load()
    assert snapshot.messages == 2
    assert len(snapshot.open_alarms) == 1
    assert {topic for topic, _data in bench.link.sent} == {node.down for node in nodes}


async def test_writer_receipt_due_during_a_commit_says_nothing_of_what_is_in_it(
    bench: Bench,
) -> None:
    node, go_on, commit = PlayedNode("n01"), threading.Event(), bench.store.commit
    for number in (1, 2):  # the first is answered at once, the second is owed
        bench.offer(node, node.detection(number))
        await until(lambda number=number: bench.link.acknowledged == number)

    def held(writes: Writes) -> None:
        if writes.messages:
            go_on.wait(5)
        commit(writes)

    bench.store.on_this_machine = False
    bench.store.commit = held  # type: ignore[method-assign]  # it takes its time
    bench.offer(node, node.detection(3))
    await until(lambda: len(bench.link.sent) == 2)  # the owed one falls due meanwhile
    assert bench.link.acknowledged == 2
    assert bench.receipts(node)[-1].upto == (1, 2)
    go_on.set()
    await until(lambda: len(bench.link.sent) == 3)
    assert bench.receipts(node)[-1].upto == (1, 3)


async def test_writer_asked_for_the_time_answers_before_the_commit(bench: Bench) -> None:
    node, go_on, commit = PlayedNode("n01"), threading.Event(), bench.store.commit
    bench.offer(node, node.hello(1000))  # of its first answer the store has to grant a counter
    await until(lambda: bench.link.sent)
    assert bench.link.acknowledged == 1

    def held(writes: Writes) -> None:
        if writes.messages:
            go_on.wait(5)
        commit(writes)

    bench.store.on_this_machine = False
    bench.store.commit = held  # type: ignore[method-assign]  # it takes its time
    bench.offer(node, node.health(2000))
    await until(lambda: len(bench.link.sent) == 2)
    assert node.open_down(bench.link.sent[1][1]) == Time(utc_ms=T0 // 1000, echo_ms=2000)
    assert bench.link.acknowledged == 1
    go_on.set()
    await until(lambda: bench.link.acknowledged == 2)
    await asyncio.sleep(0.3)
    assert len(bench.link.sent) == 2  # once


async def test_writer_queue_full_arrivals_are_not_taken(tmp_path: Path) -> None:
    bench, node = Bench(tmp_path), PlayedNode("n01")
    data = node.detection(1)
    taken = [bench.offer(node, data) for _ in range(writer_module.QUEUE_MOST + 10)]
    assert taken.count(False) == 10
    assert bench.link.acknowledged == 0


async def test_writer_flood_of_bad_tags_writes_no_rows_and_is_acknowledged(bench: Bench) -> None:
    node = PlayedNode("n01")
    bad = node.detection(1)[:-1] + b"\0"
    for _ in range(3000):
        bench.offer(node, bad)
    await until(lambda: bench.link.acknowledged == 3000)
    assert bench.store.load().messages == 0
    assert bench.pipeline.intake.refused.cells == {("bad_tag", "n01"): 3000}
    assert bench.store.attempts < 30


async def test_writer_cancelled_amid_a_commit_keeps_one_row_of_each_change(
    tmp_path: Path,
) -> None:
    bench, nodes = Bench(tmp_path), [PlayedNode("n01"), PlayedNode("n02")]
    begun, go_on = threading.Event(), threading.Event()
    commit = bench.store.commit

    def slow_commit(writes: Writes) -> None:
        begun.set()
        go_on.wait(5)
        commit(writes)

    bench.store.on_this_machine = False
    bench.store.commit = slow_commit  # type: ignore[method-assign]  # it takes its time
    task = asyncio.create_task(bench.writer.run())
    for node in nodes:
        bench.offer(node, node.detection(1))
    await until(begun.is_set)
    task.cancel()
    go_on.set()
    await asyncio.gather(task, return_exceptions=True)
    history = bench.store.inner._open_db().execute("SELECT change FROM alarm_history").fetchall()
    assert history == [("raised",)]


async def test_writer_cancelled_commits_what_it_stepped(tmp_path: Path) -> None:
    bench, node = Bench(tmp_path), PlayedNode("n01")
    task = asyncio.create_task(bench.writer.run())
    bench.offer(node, node.detection(1))
    await until(lambda: bench.pipeline.intake.messages == 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert bench.store.load().messages == 1
