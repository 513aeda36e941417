# SPDX-License-Identifier: MIT
"""The service: commit, then acknowledge, then receipt; and what it does when the store fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.service.running import commits, intake_stage
from gateway.store.interface import Writes
from gateway.wire.messages import Time
from tests.gateway.bench import T0, Bench
from tests.gateway.played_node import PlayedNode, until


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(commits, "RETRY_S", 0.05)
    monkeypatch.setattr(intake_stage, "RETRY_S", 0.05)
    made = Bench(tmp_path)
    async with made.running():
        yield made


async def test_service_acknowledges_and_receipts_after_the_commit(bench: Bench) -> None:
    node = PlayedNode("n01")
    for number in range(50):
        bench.offer(node, node.detection(number))
    await until(lambda: bench.link.acknowledged == 50)
    assert bench.store.load().messages == 50
    assert bench.receipts(node)[-1].upto == (1, 50)
    assert len(bench.link.sent) == 1  # one receipt for the burst
    assert bench.store.attempts_with_messages <= 2  # one transaction for the burst


async def test_service_store_fails_alarms_go_on_receipts_stop_and_all_recovers(
    bench: Bench,
) -> None:
    nodes = [PlayedNode("n01"), PlayedNode("n02")]
    bench.store.full = True
    for node in nodes:
        bench.offer(node, node.detection(1000))
    await until(lambda: bench.problem)
    await until(lambda: any(outcome.alarms for outcome in bench.outcomes))
    assert bench.link.acknowledged == 0
    assert bench.link.sent == []
    assert bench.service.commits.unstored == 2
    for node in nodes:
        bench.offer(node, max(node.ledger.values()))  # the node tries again: still nothing
    await asyncio.sleep(0.2)
    assert bench.link.sent == []
    bench.store.full = False
    await until(lambda: bench.link.acknowledged == 4)
    assert bench.problem == ""
    snapshot = bench.store.load()
    assert snapshot.messages == 2
    assert len(snapshot.open_alarms) == 1
    assert {topic for topic, _data in bench.link.sent} == {node.down for node in nodes}


async def test_service_receipt_due_during_a_commit_covers_nothing_of_it(
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


async def test_service_asked_for_the_time_answers_before_the_commit(bench: Bench) -> None:
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


async def test_service_queue_full_arrivals_are_not_taken(tmp_path: Path) -> None:
    bench, node = Bench(tmp_path), PlayedNode("n01")
    data = node.detection(1)
    taken = [bench.offer(node, data) for _ in range(intake_stage.QUEUE_MAX + 10)]
    assert taken.count(False) == 10
    assert bench.link.acknowledged == 0


async def test_service_flood_of_bad_tags_writes_no_rows_and_is_acknowledged(bench: Bench) -> None:
    node = PlayedNode("n01")
    bad = node.detection(1)[:-1] + b"\0"
    for _ in range(3000):
        bench.offer(node, bad)
    await until(lambda: bench.link.acknowledged == 3000, 20)
    assert bench.store.load().messages == 0
    assert bench.stages.intake.refused.cells == {("bad_tag", "n01"): 3000}
    assert bench.store.attempts < 30


@pytest.mark.parametrize("amid", ["messages", "history"])
async def test_service_cancelled_amid_a_commit_keeps_one_row_of_each_change(
    amid: str, tmp_path: Path
) -> None:
    bench, nodes = Bench(tmp_path), [PlayedNode("n01"), PlayedNode("n02")]
    started, go_on = threading.Event(), threading.Event()
    commit = bench.store.commit

    def slow_commit(writes: Writes) -> None:
        if getattr(writes, amid):
            started.set()
            go_on.wait(5)
        commit(writes)

    bench.store.on_this_machine = False
    bench.store.commit = slow_commit  # type: ignore[method-assign]  # it takes its time
    async with bench.running():
        for node in nodes:
            bench.offer(node, node.detection(1))
        await until(started.is_set)
        asyncio.get_running_loop().call_later(0.05, go_on.set)
    bench.begin()
    bench.service.start()
    bench.store.inner.commit(bench.stages.take_writes())
    assert bench.store.rows("SELECT change FROM alarm_history") == [("raised",)]
    assert bench.store.load().messages == 2


async def test_service_cancelled_commits_what_it_stepped(tmp_path: Path) -> None:
    bench, node = Bench(tmp_path), PlayedNode("n01")
    async with bench.running():
        bench.offer(node, node.detection(1))
        await until(lambda: bench.stages.intake.messages == 1)
    assert bench.store.load().messages == 1
