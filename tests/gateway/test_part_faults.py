# SPDX-License-Identifier: MIT
"""A fault of our own in one part of the gateway: the other parts go on, no message is lost, and an
alarm names the part until it works again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.errors import StoreError
from gateway.faults import QUIET_US, Faults
from gateway.intake.authentication.sequence import DurableSequence, VolatileWindow
from gateway.model.actions.acts import Acknowledge
from gateway.model.alarm import AlarmKind
from gateway.service import supervision
from gateway.service.running.intake_stage import Work
from gateway.service.supervision import Supervisor
from gateway.store.sqlite import SqliteStore
from tests.gateway.bench import Bench
from tests.gateway.played_node import PlayedNode, until
from tests.gateway.test_monitor_faults import inject, open_alarms, replayed
from tests.gateway.test_pipeline import T0, S


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "groundwatch.db"


@pytest.fixture
def bench(tmp_path: Path, path: Path) -> Bench:
    store = SqliteStore(path)
    store.open()
    return Bench(tmp_path, store)


def faults_shown(bench: Bench) -> list[str]:
    return open_alarms(bench, AlarmKind.PROCESSING_FAULT)


async def test_message_that_cannot_be_kept_has_no_receipt_and_is_kept_when_it_comes_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = PlayedNode("n01")
    first, second = node.detection(1000), node.detection(2000)
    async with bench.running():
        with monkeypatch.context() as patch:
            inject(patch, ("gateway.intake.intake", "message_row", lambda *_: True), 1)
            bench.offer(node, first)
            bench.offer(node, second)
            await until(lambda: bench.link.acknowledged == 2)
        await until(lambda: faults_shown(bench))
        assert bench.store.rows("SELECT seq FROM message") == [(2,)]
        assert len(node.ledger) == 2
        assert all(1 not in receipt.upto[1::2] for receipt in bench.receipts(node))
        bench.offer(node, first)
        await until(lambda: bench.receipts(node) and bench.receipts(node)[-1].upto == (1, 2))
    assert bench.store.rows("SELECT seq FROM message ORDER BY seq") == [(1,), (2,)]
    assert bench.store.rows("SELECT reason, node FROM quarantine") == [("fault", "n01")]


async def test_part_that_fails_over_time_is_one_alarm_until_it_works_and_stops_no_other(
    bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [PlayedNode("n01"), PlayedNode("n02")]
    tick = ("gateway.intake.nodes.registry:NodeRegistry", "tick", lambda *_: True)
    async with bench.running():
        with monkeypatch.context() as patch:
            raised = inject_in_class(patch, *tick[:2])
            for node in nodes:
                bench.offer(node, node.detection(1000))
            await until(lambda: open_alarms(bench, AlarmKind.INTRUSION))
            await until(lambda: raised[0] > 3)
            assert faults_shown(bench) == ["active_unacked: nodes over time fails: LookupError"]
            assert bench.link.acknowledged == 2
        await until(lambda: faults_shown(bench)[0].startswith("cleared_unacked"))
    assert not bench.service.supervisor.restarts
    assert [one.identical for one in replayed(path, bench.stages)] == [True]


def inject_in_class(patch: pytest.MonkeyPatch, owner: str, name: str) -> list[int]:
    """All calls raise; how many did."""
    raised = [0]

    def faulty(*_given: object) -> None:
        raised[0] += 1
        raise LookupError("injected")

    patch.setattr(owner.replace(":", ".") + f".{name}", faulty)
    return raised


async def test_row_that_the_store_does_not_accept_keeps_no_message_out(bench: Bench) -> None:
    node = PlayedNode("n01")

    def poison(_now_us: int) -> Work:
        bench.stages.intake.append(1 << 63, "eva", Acknowledge(1, "eva"))
        return Work()

    async with bench.running():
        bench.service.intake_stage.post(poison)
        bench.offer(node, node.detection(1000))
        await until(lambda: bench.link.acknowledged == 1)
        await until(lambda: bench.receipts(node))
        await until(lambda: len(faults_shown(bench)) == 2)
        assert not bench.problem
    assert faults_shown(bench) == [
        "cleared_unacked: a commit failed: OverflowError",
        "cleared_unacked: a row of log failed: OverflowError",
    ]
    assert bench.store.rows("SELECT count(*) FROM message") == [(1,)]
    assert bench.store.rows("SELECT count(*) FROM audit WHERE action = 'records.left_out'") == [
        (1,)
    ]


async def test_entry_of_the_audit_that_no_store_holds_is_a_fault_of_its_step_and_no_gap(
    bench: Bench,
) -> None:
    def poison(_now_us: int) -> Work:
        bench.stages.audit.add(1 << 70, "eva", "test")
        return Work()

    async with bench.running():
        bench.service.intake_stage.post(poison)
        await until(lambda: faults_shown(bench))
    assert len(faults_shown(bench)) == 1
    numbers = [row[0] for row in bench.store.rows("SELECT id FROM audit ORDER BY id")]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_store_that_fails_by_a_fault_of_our_own_stops_receipts_and_not_alarms(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [PlayedNode("n01"), PlayedNode("n02")]

    def faulty(*_given: object) -> None:
        raise LookupError("injected")

    async with bench.running():
        with monkeypatch.context() as patch:
            for name in ("commit", "commit_what_fits"):
                patch.setattr(bench.store, name, faulty)
            for node in nodes:
                bench.offer(node, node.detection(1000))
            await until(lambda: open_alarms(bench, AlarmKind.INTRUSION))
            assert "LookupError" in bench.problem
            assert bench.link.acknowledged == 0
        await until(lambda: bench.link.acknowledged == 2)
    assert bench.store.rows("SELECT count(*) FROM message") == [(2,)]


def test_entry_that_cannot_be_read_at_a_start_is_an_alarm_and_the_gateway_starts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = PlayedNode("n01"), PlayedNode("n02")
    bench.service.start()
    bench.store.commit(bench.stages.take_writes(T0))
    for node in (one, other):  # taken in and not processed: the gateway was killed
        bench.stages.receive(T0, node.up, node.detection(1000))
    bench.store.commit(bench.stages.take_writes(T0))
    bench.begin()
    with monkeypatch.context() as patch:
        raised = inject(
            patch, ("gateway.service.running.monitor_stage", "decoded", lambda *_: True), 1
        )
        bench.service.start()
    assert raised == [1]
    (shown,) = faults_shown(bench)
    assert "message could not be processed: Start" in shown
    assert open_alarms(bench, AlarmKind.INTRUSION)  # of the entries behind it


@pytest.mark.parametrize("seqs", [(1,), (1, 2, 3), (2, 1), (3, 1, 2), (5,)])
def test_sequence_that_forgets_a_number_is_as_before_it(seqs: tuple[int, ...]) -> None:
    sequence, before = DurableSequence(), DurableSequence()
    window = VolatileWindow()
    for seq in seqs[:-1]:
        sequence.see(seq)
        before.see(seq)
        window.see(1, seq)
    assert sequence.see(seqs[-1])
    sequence.forget(seqs[-1])
    assert (sequence.upto, sequence.newest, sequence.gaps()) == (
        before.upto, before.newest, before.gaps()
    )  # fmt: skip
    assert window.see(1, seqs[-1])
    window.forget(1, seqs[-1])
    assert all(not window.see(1, seq) for seq in seqs[:-1])
    assert window.see(1, seqs[-1])


@pytest.mark.parametrize("how", [LookupError, StoreError, SystemExit, asyncio.CancelledError, None])
async def test_supervisor_starts_again_whatever_ends_a_task(
    how: type[BaseException] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "FIRST_WAIT_S", 0.001)
    reported: list[tuple[str, object]] = []
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs > 2:
            await asyncio.Event().wait()
        if how is not None:
            raise how("injected")

    supervisor = Supervisor(lambda part, problem: reported.append((part, problem)))
    task = asyncio.create_task(supervisor.keep_up("test", run))
    await until(lambda: runs == 3)
    task.cancel()
    assert isinstance(
        (await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError
    )
    assert supervisor.restarts == {"test": 2}
    assert [part for part, _problem in reported] == ["task test"] * 2


def test_faults_of_one_part_are_one_report_a_minute_and_all_counted() -> None:
    faults = Faults()
    for second in range(120):
        faults.report("part", KeyError("x"))
        faults.take(T0 + second * S)
    assert faults.counts == {"part": 120}
    faults = Faults()
    taken = 0
    for second in range(120):
        if second % 61 == 0:
            faults.report("part", KeyError("x"))
        taken += len(faults.take(T0 + second * S))
    assert taken == 4  # active and cleared, twice
    assert QUIET_US == 60 * S


def test_faults_part_that_works_before_anything_saw_it_fail_is_reported_all_the_same() -> None:
    faults = Faults()
    faults.failing("child", "it ended")
    faults.works("child")
    assert [(one.active, one.reason) for one in faults.take(T0)] == [
        (True, "child fails: it ended"),
        (False, "child fails: it ended"),
    ]


def test_faults_of_many_parts_are_bounded() -> None:
    faults = Faults()
    for number in range(5000):
        faults.report(f"part {number}", "x")
    assert faults.counts.total() == 5000
    assert len(faults.counts) <= 257
    assert len(faults.take(T0)) <= 2 * 256
