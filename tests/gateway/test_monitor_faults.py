# SPDX-License-Identifier: MIT
"""A fault of our own in any step of the monitor: the step is rolled back and an operator is
notified; no receipt is missing, no alarm is lost, and replay gives the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from gateway.alarms import EventChanged, Tick
from gateway.enrolment import site_keys
from gateway.model.alarm import AlarmKind
from gateway.monitor.replay import Verdict, replay
from gateway.service.running.intake_stage import Work
from gateway.service.stages import Stages
from gateway.store.choose import reading
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Phase
from tests.gateway.bench import Bench
from tests.gateway.played_node import ROOT, PlayedNode, until
from tests.gateway.test_pipeline import T0, S, crossing

# (module, function as that module calls it, which of its calls raise)
STEPS = {
    "association": ("gateway.fusion.step", "candidates", lambda *_: True),
    "fit": ("gateway.fusion.update", "fit", lambda *_: True),
    "verdict": ("gateway.fusion.update", "assess", lambda *_: True),
    "alarms": (
        "gateway.monitor.step", "alarm_step", lambda *a: isinstance(a[2], EventChanged)
    ),
}  # fmt: skip
TICKS = {
    "fusion": ("gateway.monitor.step", "fusion_step", lambda *a: a[4] is None),
    "alarms": ("gateway.monitor.step", "alarm_step", lambda *a: isinstance(a[2], Tick)),
}
Fault = tuple[str, str, Callable[..., bool]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "groundwatch.db"


@pytest.fixture
def bench(tmp_path: Path, path: Path) -> Bench:
    store = SqliteStore(path)
    store.open()
    return Bench(tmp_path, store)


def inject(patch: pytest.MonkeyPatch, fault: Fault, most: int = 1 << 30) -> list[int]:
    """Those calls raise, at most so many times; how many did."""
    module, name, wanted = fault
    owner = import_module(module)
    real: Callable[..., Any] = getattr(owner, name)
    raised = [0]

    def faulty(*given: Any, **named: Any) -> Any:
        if wanted(*given) and raised[0] < most:
            raised[0] += 1
            raise LookupError("injected")
        return real(*given, **named)

    patch.setattr(owner, name, faulty)
    return raised


def open_alarms(bench: Bench, kind: AlarmKind) -> list[str]:
    state = bench.stages.monitor.state
    return [f"{one.state}: {one.reasons[0]}" for one in state.alarms.open if one.kind is kind]


def replayed(path: Path, stages: Stages) -> list[Verdict]:
    with reading(path) as db:
        return list(replay(db, stages.policy))


@pytest.mark.parametrize("step", STEPS)
async def test_monitor_exception_in_a_step_rolls_it_back_and_costs_no_receipt_and_no_alarm(
    step: str, bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = PlayedNode("n01"), PlayedNode("n02")
    async with bench.running():
        bench.offer(one, one.detection(1000))
        await until(lambda: bench.stages.monitor.state.fusion.events)
        before = bench.stages.monitor.state
        with monkeypatch.context() as patch:
            inject(patch, STEPS[step])
            bench.offer(other, other.detection(1000))
            await until(lambda: bench.stages.monitor.failures == 1)
            await until(lambda: bench.link.acknowledged == 2)
            await until(lambda: bench.receipts(other))
        assert bench.receipts(other)[-1].upto == (1, 1)
        assert bench.stages.monitor.state.fusion == before.fusion
        assert open_alarms(bench, AlarmKind.INTRUSION) == []
        reason = "message could not be processed: detection of person from n02 (LookupError)"
        assert open_alarms(bench, AlarmKind.PROCESSING_FAULT) == [f"cleared_unacked: {reason}"]
        bench.offer(other, other.detection(1000, Phase.UPDATE, elapsed_s=1.0))
        await until(lambda: open_alarms(bench, AlarmKind.INTRUSION))
    rows = bench.store.rows("SELECT source, error FROM skipped")
    assert rows == [("n02", "LookupError")]
    changes = bench.store.rows(
        "SELECT change FROM alarm_history JOIN alarm ON alarm.id = alarm_id "
        "WHERE kind = 'processing_fault'"
    )
    assert changes == [("raised",), ("cleared",)]
    verdicts = replayed(path, bench.stages)
    assert [(one.identical, one.changes >= 3) for one in verdicts] == [(True, True)]


@pytest.mark.parametrize("kind", TICKS)
async def test_monitor_exception_over_time_is_one_alarm_and_the_watch_goes_on(
    kind: str, bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [PlayedNode("n01"), PlayedNode("n02")]
    async with bench.running():
        bench.offer(nodes[0], nodes[0].detection(1000))
        await until(lambda: bench.link.acknowledged == 1)
        with monkeypatch.context() as patch:
            raised = inject(patch, TICKS[kind])
            for _ in range(4):  # again and again
                bench.now_us += S
                seen = raised[0]
                await until(lambda seen=seen: raised[0] > seen)
            bench.offer(nodes[1], nodes[1].detection(5000))
            await until(lambda: open_alarms(bench, AlarmKind.INTRUSION))
        for _ in range(200):  # the event ends, and so does its alarm
            bench.now_us += 2 * S
            await bench.service.flush()
            await until(lambda: bench.stages.monitor._ticked_s == bench.now_us // S)
            if not any(alarm.active for alarm in bench.stages.monitor.state.alarms.open):
                break
        assert not any(alarm.active for alarm in bench.stages.monitor.state.alarms.open)
    assert not bench.service.supervisor.restarts
    changes = bench.store.rows(
        "SELECT change FROM alarm_history JOIN alarm ON alarm.id = alarm_id "
        "WHERE kind = 'processing_fault'"
    )
    assert changes == [("raised",), ("cleared",)]
    assert [one.identical for one in replayed(path, bench.stages)] == [True]


@pytest.mark.parametrize("step", [*STEPS, "fusion over time", "alarms over time"])
def test_monitor_a_hundred_exceptions_lose_no_alarm_of_the_walks_that_follow(
    step: str, bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = STEPS.get(step) or TICKS[step.split()[0]]
    stages, store = bench.stages, bench.store
    uplinks = crossing(seed=3)
    with monkeypatch.context() as patch:
        raised = inject(patch, fault, 100)
        for turn in range(40):  # each walk again and again, as by other boots of the nodes
            for arrival_us, topic, payload in crossing_of_boot(turn + 2):
                stages.uplink(arrival_us, topic, payload)
                stages.tick(arrival_us)
            store.commit(stages.take_writes())
            if raised[0] == 100:
                break
    assert raised == [100]
    stages.tick(T0 + 9_000 * S)
    known = stages.monitor.state.alarms.last_id
    late_us = 10_000 * S
    for arrival_us, topic, payload in uplinks:
        stages.tick(arrival_us + late_us)
        stages.uplink(arrival_us + late_us, topic, payload)
    store.commit(stages.take_writes())
    fresh = [a for a in everything(stages) if a.id > known and a.kind is AlarmKind.INTRUSION]
    assert len(fresh) == 3
    assert stages.monitor.failures == 100
    assert [one.identical for one in replayed(path, stages)] == [True]


def everything(stages: Stages) -> list[Any]:
    alarms = stages.monitor.state.alarms
    return [*alarms.open, *alarms.closed]


def crossing_of_boot(boot: int) -> list[tuple[int, str, bytes]]:
    """A walk along four nodes."""
    uplinks = []
    for index in range(4):
        node = PlayedNode(f"n{index + 1:02}", boot=boot)
        start_s = 150 * boot + 18 * index
        for elapsed_s, phase in ((0, Phase.ONSET), (9, Phase.UPDATE), (18, Phase.END)):
            data = node.detection(1000, phase, elapsed_s=elapsed_s or None)
            uplinks.append((T0 + (start_s + elapsed_s) * S, node.up, data))
    return sorted(uplinks)


def test_monitor_fault_in_the_fault_alarm_itself_still_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = PlayedNode("n01"), PlayedNode("n02")
    stages = Stages(bench.site, site_keys(bench.site, ROOT))
    stages.uplink(T0, one.up, one.detection(1000))
    with monkeypatch.context() as patch:
        inject(patch, STEPS["fit"])
        inject(patch, ("gateway.monitor.monitor", "alarm_step", lambda *_: True))
        assert stages.uplink(T0, other.up, other.detection(1000)).alarms == []
    assert stages.monitor.failures == 1
    later = stages.uplink(T0, other.up, other.detection(1000, Phase.UPDATE, elapsed_s=1.0))
    assert [change.alarm.kind for change in later.alarms] == [AlarmKind.INTRUSION]


INTAKE = {
    "detection": ("gateway.intake.intake", "detection_of", lambda *_: True),
    "clock": ("gateway.intake.nodes.boot_clock", "first_sample", lambda *_: True),
}


@pytest.mark.parametrize("where", INTAKE)
async def test_intake_exception_in_a_stored_message_is_an_alarm_and_costs_no_receipt(
    where: str, bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = PlayedNode("n01"), PlayedNode("n02")
    with monkeypatch.context() as patch:
        inject(patch, INTAKE[where])
        async with bench.running():
            bench.offer(one, one.detection(1000))
            await until(lambda: open_alarms(bench, AlarmKind.PROCESSING_FAULT))
            await until(lambda: bench.receipts(one))
        bench.begin()  # the message is applied again, and raises again
    reason = "message could not be processed: detection from n01 (LookupError)"
    assert open_alarms(bench, AlarmKind.PROCESSING_FAULT) == [f"cleared_unacked: {reason}"]
    async with bench.running():
        for node in (one, other):
            bench.offer(node, node.detection(1000, Phase.UPDATE, elapsed_s=1.0))
        await until(lambda: open_alarms(bench, AlarmKind.INTRUSION))
    assert not bench.service.supervisor.restarts
    assert [one.identical for one in replayed(path, bench.stages)] == [True, True]


async def test_intake_exception_before_a_message_is_known_lets_it_come_again(
    bench: Bench, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = PlayedNode("n01"), PlayedNode("n02")
    data = one.detection(1000)
    async with bench.running():
        with monkeypatch.context() as patch:
            inject(patch, ("gateway.wire.codec", "decode", lambda *_: True), 1)
            bench.offer(one, data)
            bench.offer(other, other.detection(1000))
            await until(lambda: bench.link.acknowledged == 2)
        await until(lambda: open_alarms(bench, AlarmKind.PROCESSING_FAULT))
        reason = "message on the topic of n01 failed: LookupError"
        assert open_alarms(bench, AlarmKind.PROCESSING_FAULT) == [f"cleared_unacked: {reason}"]
        bench.offer(one, data)
        await until(lambda: open_alarms(bench, AlarmKind.INTRUSION))
        await until(lambda: bench.receipts(one))
    assert not bench.service.supervisor.restarts
    assert bench.store.rows("SELECT reason, node, size FROM quarantine") == [
        ("fault", "n01", len(data))
    ]
    assert [one.identical for one in replayed(path, bench.stages)] == [True]


async def test_service_request_that_raises_is_reported_to_its_caller_only(
    bench: Bench,
) -> None:
    def faulty(_now_us: int) -> Work:
        raise ZeroDivisionError

    async with bench.running():
        stage = bench.service.intake_stage
        results = await asyncio.gather(
            stage.request(faulty), bench.service.flush(), return_exceptions=True
        )
        stage.post(faulty)
        await bench.service.flush()
        assert [type(one) for one in results] == [ZeroDivisionError, type(None)]
        assert bench.stages.faults.counts == {"a request": 1}
        assert not bench.service.supervisor.restarts
