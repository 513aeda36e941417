# SPDX-License-Identifier: MIT
"""An exception of our own code in any stage, task, timer or effect of a running gateway: the watch
goes on, no message is lost, and the page has a fault alarm."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import msgspec
import pytest

from gateway.api import server
from gateway.api.access.local_socket import NAME as SOCKET
from gateway.api.prefix import PREFIX
from gateway.api.routes import ROUTES
from gateway.app import Gateway
from gateway.broker.embedded import EmbeddedBroker
from gateway.config import load_config
from gateway.intake.nodes import rows
from gateway.model.alarm import Alarm
from gateway.monitor.replay import replay
from gateway.service.watch import gaps
from gateway.store.choose import reading
from tests.api.picture import shown
from tests.api.test_access import local
from tests.faults.nodes import Crowd, assert_all_once
from tests.faults.points import CANCELLED, EXCEPTIONS, POINTS, TASKS, injected
from tests.gateway.played_node import until, write_config

SEED = 20261202
LONG_S = 120.0  # the machine may be busy
_ALL = [(point, error) for point in POINTS for error in EXCEPTIONS]
_ALL += [(point, "CancelledError") for point in TASKS]
SIZES = [
    pytest.param(12, id="some"),
    pytest.param(len(_ALL), id="all", marks=pytest.mark.faults),
]


def chosen(size: int) -> list[tuple[str, str]]:
    """So many, in the order of a seed."""
    rng = random.Random(SEED)
    return rng.sample(_ALL, size)


def faults(gateway: Gateway) -> int:
    return gateway.facade._faults()


def fault_alarms(gateway: Gateway) -> list[str]:
    alarms = shown(gateway)["alarms"]
    return [a["reasons"][0] for a in alarms if a["kind"] == "processing_fault"]


def stir(gateway: Gateway, number: int) -> None:
    """What leads through every stage: nodes connect again, and an alarm is raised and cleared."""
    assert isinstance(gateway.broker, EmbeddedBroker)
    for peer in list(gateway.broker.sessions.values()):
        peer.close()
    gateway.service.stages.faults.report(f"round {number}", "none")


@pytest.mark.parametrize("size", SIZES)
async def test_exception_anywhere_is_an_alarm_and_the_watch_goes_on_without_a_loss(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "COUNT_S", 0.2)
    monkeypatch.setattr(rows, "FLUSH_US", 200_000)
    config = load_config(write_config(tmp_path, 'kind = "embedded"\nport = 0'))
    async with Gateway(config) as gateway:
        crowd = Crowd(gateway.address[1], ("n01", "n02"))
        async with crowd.running():
            await crowd.until_progress(2, LONG_S)
            for number, (point, name) in enumerate(chosen(size)):
                stir(gateway, number)
                before = faults(gateway)
                error = EXCEPTIONS.get(name, CANCELLED)
                print(f"{number} {name} in {point}", flush=True)
                with injected(POINTS[point], error) as raised:
                    try:
                        await until(lambda: raised[0], LONG_S)  # awaited here
                        await until(lambda: faults(gateway) > before, LONG_S)  # noqa: B023  # awaited here
                    except TimeoutError:
                        pytest.fail(f"{name} in {point}: raised {raised[0]}, and not reported")
                try:
                    await crowd.until_progress(2, LONG_S)
                except TimeoutError as stuck:
                    pytest.fail(f"{name} in {point}, number {number}: {stuck}")
                await until(lambda: fault_alarms(gateway), LONG_S)
            await crowd.until_empty(LONG_S)
        await until(lambda: gateway.service.monitor_stage.waiting == 0, LONG_S)
        assert gateway.service.commits.problem == ""
        assert len(fault_alarms(gateway)) >= min(5, size // 3)
        today = gateway.service.stages.policy
    database = tmp_path / "data" / "groundwatch.db"
    count = assert_all_once(database, crowd)
    with reading(database) as db:
        assert [one.identical for one in replay(db, today)] == [True]
    print(f"\n{size} injected exceptions: {count} messages, 0 lost, each once; replay identical")


async def test_exception_of_a_timer_is_an_alarm_on_the_page(tmp_path: Path) -> None:
    def faulty() -> None:
        raise LookupError("injected")

    config = load_config(write_config(tmp_path, 'kind = "embedded"\nport = 0'))
    async with Gateway(config) as gateway:
        asyncio.get_running_loop().call_later(0, faulty)
        reason = "a timer or connection failed: LookupError"
        await until(lambda: reason in fault_alarms(gateway), LONG_S)


async def test_exception_in_any_operation_of_the_api_is_an_answer_and_an_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def faulty(_call: object) -> msgspec.Struct:
        raise KeyError("injected")

    routes = tuple(one._replace(handler=one.handler and faulty) for one in ROUTES)
    monkeypatch.setattr(server, "ROUTES", routes)
    monkeypatch.setattr(server, "read_body", lambda _data, _kind: None)
    config = load_config(write_config(tmp_path, 'kind = "embedded"\nport = 0'))
    async with Gateway(config) as gateway:
        path = tmp_path / "data" / SOCKET
        tried = [one for one in routes if one.handler is not None]
        for route in tried:
            where = PREFIX + route.path.replace("{id}", "1")
            answer = await local(path, route.method, where)
            assert answer == (500, {"problem": "a fault of the gateway itself (KeyError)"})
        assert gateway.service.stages.faults.counts["an operation of the API"] == len(tried)
        reason = "an operation of the API failed: KeyError"
        await until(lambda: reason in fault_alarms(gateway), LONG_S)
        assert (await local(path, "GET", f"{PREFIX}/picture"))[0] == 200


async def test_thing_that_cannot_be_encoded_keeps_no_other_from_the_page(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path, 'kind = "embedded"\nport = 0'))
    async with Gateway(config) as gateway:
        gateway.picture.put("track", "e1", object())
        status, body = await local(tmp_path / "data" / SOCKET, "GET", f"{PREFIX}/picture")
        assert status == 200
        assert isinstance(body, dict)
        kinds = {change["kind"] for change in body["changes"]}
        assert {"node", "sector", "section"} <= kinds
        assert "track" not in kinds
        reason = "picture for the API failed: TypeError"
        await until(lambda: any(reason in one.reasons for one in alarms_now(gateway)), LONG_S)


def alarms_now(gateway: Gateway) -> tuple[Alarm, ...]:
    return gateway.service.stages.monitor.state.alarms.open
