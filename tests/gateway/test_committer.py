# SPDX-License-Identifier: MIT
"""Where a commit is waited for: in the event loop while the disk is quick, else in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from gateway.errors import StoreError
from gateway.service.running.committer import FEW, QUICK_S, WARY_S, Committer
from gateway.store.interface import CheckpointRow, MessageRow, Writes
from gateway.store.sqlite import SqliteStore
from tests.gateway.played_node import until


class Disk(SqliteStore):
    """A real store in memory: records which thread commits, reports a chosen duration."""

    def __init__(self) -> None:
        super().__init__(None)
        self.now_s = 0.0
        self.takes_s = 0.0
        self.full = False
        self.threads: list[str] = []

    def commit(self, writes: Writes) -> None:
        self.threads.append(threading.current_thread().name)
        self.now_s += self.takes_s
        if self.full:
            raise StoreError("store: disk full")
        super().commit(writes)


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    disk.open()
    yield disk
    disk.close()


def one(number: int) -> Writes:
    return Writes(messages=[MessageRow(number, "n01", 0, 1, number, 1, "health", b"x")])


def made(disk: Disk, committed: list[Writes] | None = None) -> Committer:
    return Committer(disk, [].append if committed is None else committed.append, lambda: disk.now_s)


def in_loop(name: str) -> bool:
    return name == threading.current_thread().name


async def test_committer_quick_disk_is_waited_for_in_the_loop(disk: Disk) -> None:
    committed: list[Writes] = []
    committer = made(disk, committed)
    for number in (1, 2, 3):
        await committer.commit(one(number))
    assert all(map(in_loop, disk.threads))
    assert [writes.messages[0].id for writes in committed] == [1, 2, 3]
    assert disk.load().messages == 3
    committer.close()


async def test_committer_disk_that_was_slow_has_its_thread_until_it_was_quick_for_long(
    disk: Disk,
) -> None:
    committer = made(disk)
    disk.takes_s = QUICK_S
    await committer.commit(one(1))
    disk.takes_s = 0
    disk.now_s += WARY_S / 2
    await committer.commit(one(2))
    disk.now_s += WARY_S
    await committer.commit(one(3))
    assert [in_loop(name) for name in disk.threads] == [True, False, True]
    assert disk.load().messages == 3
    committer.close()


async def test_committer_many_messages_may_take_longer_before_the_disk_counts_as_slow(
    disk: Disk,
) -> None:
    committer, numbers = made(disk), iter(range(1, 10_000))
    for takes_s, in_loop_again in ((3 * QUICK_S, True), (5 * QUICK_S, False)):
        disk.takes_s = takes_s
        many = [one(next(numbers)).messages[0] for _ in range(4 * FEW)]
        await committer.commit(Writes(messages=many))
        disk.takes_s = 0
        await committer.commit(one(next(numbers)))
        assert in_loop(disk.threads[-1]) is in_loop_again
    committer.close()


async def test_committer_commit_that_fails_is_tried_again_in_the_thread(disk: Disk) -> None:
    committer = made(disk)
    disk.full = True
    with pytest.raises(StoreError):
        await committer.commit(one(1))
    disk.full = False
    await committer.commit(one(1))
    assert [in_loop(name) for name in disk.threads] == [True, False]
    assert disk.load().messages == 1
    committer.close()


@pytest.mark.parametrize("case", ["network", "many", "another file"])
async def test_committer_what_may_take_long_never_holds_up_the_loop(case: str, disk: Disk) -> None:
    committer, writes = made(disk), one(1)
    if case == "network":
        disk.on_this_machine = False
    elif case == "many":
        writes.messages += [one(number).messages[0] for number in range(2, FEW + 2)]
    else:
        writes.checkpoints.append(CheckpointRow(1, b"l", 1, b"k", b"s"))
    await committer.commit(writes)
    assert not any(map(in_loop, disk.threads))
    committer.close()


@pytest.mark.parametrize("gives_up", [False, True], ids=["waits", "gives up"])
async def test_committer_while_a_reader_is_active_the_commit_waits_for_its_turn(
    gives_up: bool, disk: Disk
) -> None:
    committer, started, go_on = made(disk), threading.Event(), threading.Event()

    def read() -> None:
        started.set()
        go_on.wait(5)

    reading = asyncio.create_task(committer.call(read))
    await until(started.is_set)
    if gives_up:  # the thread reads on
        reading.cancel()
    committing = asyncio.create_task(committer.commit(one(1)))
    await asyncio.sleep(0.05)
    assert disk.threads == []
    go_on.set()
    await asyncio.gather(reading, committing, return_exceptions=True)
    assert not any(map(in_loop, disk.threads))
    assert disk.load().messages == 1
    committer.close()
