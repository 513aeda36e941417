# SPDX-License-Identifier: MIT
"""Measured performance: figures against counts worked out by hand, from a running gateway too."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from scipy.stats import beta, chi2

from gateway.app import Gateway
from gateway.config import load_config
from gateway.console.operators import Role
from gateway.model.actions.overrides import Purpose, Walk
from gateway.model.alarm import Alarm, AlarmKind, Disposition
from gateway.performance.intervals import rate, share
from gateway.performance.measure import measure
from gateway.performance.monitored_time import (
    MAX_KEPT_DAYS,
    MAX_WALK_TESTS,
    Day,
    MonitoredTime,
    WalkTest,
    day_of,
)
from gateway.store.interface import Snapshot, Writes
from tests.gateway.alarm_steps import T0, S
from tests.gateway.chromium import open_page
from tests.gateway.played_node import MqttNode, until, write_config
from tests.gateway.sign_in import enrol, sign_in_page, signed_in
from tools.cli import main

DAY_US = 86_400 * S
TODAY = day_of(T0)


def alarm(number: int, at_s: float = 0, **more: object) -> Alarm:
    at_us = T0 + int(at_s * S)
    whole = Alarm(
        id=number, kind=AlarmKind.INTRUSION, key=f"e{number}", priority=1, raised_us=at_us,
        changed_us=at_us, active=False, acknowledged=False, nodes=("n1",), sectors=("west",),
        reasons=(), notified_us=at_us,
    )  # fmt: skip
    return replace(whole, **more)  # type: ignore[arg-type]  # fields by name


def acked(number: int, after_s: float, what: Disposition | None = None, **more: object) -> Alarm:
    raised = alarm(number, **more)  # type: ignore[arg-type]  # fields by name
    return replace(
        raised,
        acknowledged=True,
        acknowledged_us=raised.notified_us + int(after_s * S),
        disposition=what,
    )


def test_intervals_agree_with_the_quantiles_they_stand_for() -> None:
    for hits, trials in ((0, 10), (1, 10), (9, 10), (10, 10), (190, 200)):
        found = share(hits, trials)
        low = beta.ppf(0.025, hits, trials - hits + 1) if hits else 0.0
        high = beta.ppf(0.975, hits + 1, trials - hits) if hits < trials else 1.0
        assert (found.low, found.high) == pytest.approx((low, high))
    for events in (0, 1, 7, 400):
        found = rate(events, 30.0)
        low = chi2.ppf(0.025, 2 * events) / 2 / 30 if events else 0.0
        assert (found.low, found.high) == pytest.approx((low, chi2.ppf(0.975, 2 * events + 2) / 60))


def test_measure_of_nothing_reports_that_nothing_was_measured() -> None:
    report = measure([], [], {}, ["n1"], T0)
    assert report["false_per_day"] == [None, 0.0, None]
    assert report["detection"]["pd"] == [None, 0.0, 1.0]
    assert report["time_to_acknowledge"]["p95_s"] is None
    json.loads(json.dumps(report, allow_nan=False))


def test_measure_counts_what_was_assessed_and_reports_what_was_not() -> None:
    alarms = [
        acked(1, 10, Disposition.PERSON),
        acked(2, 20, Disposition.ANIMAL),
        acked(3, 30, Disposition.WEATHER, nodes=("n2",)),
        acked(4, 40, Disposition.UNKNOWN, nodes=("n1", "n2")),
        acked(5, 50, Disposition.OWN_PATROL),
        acked(6, 60, walk="patrol 1: Ben"),
        acked(7, 70),
        alarm(8),
        alarm(9, masked="mask 1 by eva: cows"),
        acked(10, 1000, kind=AlarmKind.TAMPER),
    ]
    days = {TODAY: Day(supervised_s=86_400, operator_s=4 * 3600)}
    report = measure(alarms, [], days, ["n1", "n2", "n3"], T0)
    assert report["alarms"] == {
        "notified": 9, "intrusion": 8, "suppressed": 1,
        "valid": 1, "nuisance": 2, "false": 1, "authorised": 2, "not_assessed": 2,
    }  # fmt: skip
    assert report["false_per_day"] == pytest.approx([1.0, 0.025318, 5.571643], abs=1e-6)
    assert report["nuisance_per_day"][0] == 2.0
    assert report["alarms_per_operator_hour"][0] == 9 / 4
    assert [(row["node"], row["false"], row["nuisance"]) for row in report["nodes"]] == [
        ("n1", 1, 1),
        ("n2", 1, 1),
        ("n3", 0, 0),
    ]
    waits = report["time_to_acknowledge"]
    assert (waits["acknowledged"], waits["waiting"]) == (8, 1)
    assert (waits["p50_s"], waits["p95_s"]) == (50.0, None)  # the ninth still waits
    assert report["days"] == [
        {"day": TODAY, "monitored_h": 24.0, "unwatched_h": 0.0, "valid": 1, "nuisance": 2,
         "false": 1, "authorised": 2, "not_assessed": 2}
    ]  # fmt: skip


def test_measure_walk_test_counts_each_crossing_of_each_sector_once() -> None:
    test = WalkTest(1, T0, T0 + 600 * S, ("west", "east"), 3)
    alarms = [
        alarm(1, -1),  # before it
        alarm(2, 5),
        alarm(3, 100, sectors=("west", "east")),
        alarm(4, 200, masked="mask 1 by eva: cows"),  # quiet, but detected
        alarm(5, 619, sectors=("west",)),  # the fourth of three is none
        alarm(6, 621, sectors=("east",)),  # after it
        alarm(7, 50, sectors=("east",), kind=AlarmKind.NODE_LOST),
    ]
    running = WalkTest(2, T0, T0 + 10_000 * S, ("west",), 9)
    found = measure(alarms, [test, running], {}, [], T0 + 700 * S)["detection"]
    assert (found["walk_tests"], found["crossings"], found["detected"]) == (1, 6, 4)
    assert [(row["sector"], row["detected"]) for row in found["sectors"]] == [
        ("east", 1),
        ("west", 3),
    ]
    assert found["pd"] == pytest.approx([4 / 6, 0.222778, 0.956728], abs=1e-6)


def walk(number: int, until_s: float = 600, purpose: Purpose = Purpose.WALK_TEST) -> Walk:
    return Walk(number, purpose, "Ben", "eva", T0, T0 + int(until_s * S), ("west",), 2)


def kept(book: MonitoredTime, state: dict[str, str]) -> dict[str, str]:
    writes = Writes()
    book.collect(writes)
    after = state | writes.state
    return {name: value for name, value in after.items() if value}


def test_watch_book_goes_on_after_a_restart_and_keeps_no_names() -> None:
    book = MonitoredTime()
    book.count(T0, 60, 2)
    book.count(T0 + DAY_US, 30, 0)
    book.note_walks((walk(1), walk(2, purpose=Purpose.PATROL)))
    book.note_walks((walk(1, until_s=300),))  # it was ended early
    state = kept(book, {})
    assert not any("Ben" in value for value in state.values())
    again = MonitoredTime()
    again.restore(Snapshot(state=state))
    assert again.days == {TODAY: Day(60, 120), day_of(T0 + DAY_US): Day(30, 0)}
    assert again.walk_tests == {1: WalkTest(1, T0, T0 + 300 * S, ("west",), 2)}
    assert kept(again, state) == state


def test_watch_book_is_bounded() -> None:
    book, state = MonitoredTime(), {}
    for number in range(MAX_KEPT_DAYS + 50):
        book.count(T0 + number * DAY_US, 60, 1)
        state = kept(book, state)
    assert len(book.days) == MAX_KEPT_DAYS + 1
    assert len(state) == MAX_KEPT_DAYS + 1
    for number in range(MAX_WALK_TESTS + 5):
        book.note_walks((walk(number),))
    state = kept(book, state)
    assert len(book.walk_tests) == MAX_WALK_TESTS
    assert sum(name.startswith("walk_test:") for name in state) == MAX_WALK_TESTS


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    enrol(tmp_path)
    enrol(tmp_path, "ben", Role.SUPERVISOR)
    async with Gateway(load_config(write_config(tmp_path, "port = 0"))) as running:
        yield running


async def crossing(gateway: Gateway) -> None:
    """Two nodes in the west detect a person."""
    nodes = [MqttNode(name) for name in ("n01", "n02")]
    for node in nodes:
        node.connect(gateway.address[1])
    await until(lambda: all(node.subscribed for node in nodes), 20)
    for node in nodes:
        node.publish(node.hello(0))
        node.publish(node.detection(60_000))
    await until(lambda: gateway.service.stages.monitor.state.alarms.open, 20)
    for node in nodes:
        node.disconnect()


async def test_console_performance_is_for_supervisors_and_asked_strictly(gateway: Gateway) -> None:
    async with signed_in(gateway, "eva") as eva, signed_in(gateway, "ben") as ben:
        for path in ("supervisor", "api/v1/performance"):
            assert (await eva.get(path)).status == 403
            assert (await ben.get(path)).status == 200
        for query in ("days=0", "days=367", "days=x", "days=-1", "days=1.5", "days=1e9", "d=1",
                      "days=" + "9" * 500, "days=\u0661"):  # fmt: skip
            answer = await ben.get(f"api/v1/performance?{query}")
            assert answer.status == 400, query
            assert "\n" not in (await answer.json())["problem"]


async def test_walk_test_announced_is_scored_from_the_alarms_of_a_running_gateway(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with signed_in(gateway, "ben") as ben:
        body = {"who": "Mia", "sectors": ["west"], "minutes": 5, "purpose": "walk_test"}
        assert (await ben.post("api/v1/walks", {**body, "crossings": 2})).status == 200
        await crossing(gateway)
        number = gateway.service.stages.monitor.state.alarms.open[0].id
        assert gateway.service.stages.monitor.state.alarms.open[0].walk == "walk test 1: Mia"
        await ben.post(f"api/v1/alarms/{number}/acknowledge", {"disposition": "test"})
        report = await (await ben.get("api/v1/performance?days=1")).json()
        assert report["detection"]["walk_tests"] == 0  # it is not over yet
        await ben.post("api/v1/walks/1/withdraw", {"reason": "done"})
        gateway.service.stages.monitored_time.count(gateway.facade.clock_us(), 3600.0, 1)
        performance = gateway.facade._parts.performance
        now_us = gateway.facade.clock_us
        monkeypatch.setattr(performance, "_clock", lambda: now_us() + 60 * S)
        report = await (await ben.get("api/v1/performance?days=1")).json()
    assert report["detection"]["crossings"] == 2
    assert report["detection"]["detected"] == 1
    assert report["alarms"]["authorised"] == 1
    assert report["alarms_per_operator_hour"][0] == 1.0
    assert report["time_to_acknowledge"]["acknowledged"] == 1


async def test_supervisors_page_shows_figures_with_their_intervals(
    gateway: Gateway, tmp_path: Path
) -> None:
    await crossing(gateway)
    gateway.service.stages.monitored_time.count(gateway.facade.clock_us(), 86_400.0, 1)
    async with open_page(tmp_path, gateway.console_url) as page:
        await sign_in_page(page, "ben")
        await page.shows("PERSON")
        await page.press("7")
        await page.shows("acknowledged by ben")
        await page.click("#to-supervisor")
        await page.shows("False alarms per day", "0.03 to 5.6", "1 in 1.0 days", "n02")


async def test_walktest_command_announces_and_scores_through_the_running_gateway(
    gateway: Gateway,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = ["--config", str(tmp_path / "gateway.toml")]
    words = ["announce", "--who", "Ben", "--sectors", "west,east", "--crossings", "10"]
    assert await asyncio.to_thread(main, ["walktest", *words, *config]) == 0
    (planned,) = gateway.service.stages.monitor.state.alarms.walks
    assert (planned.by, planned.who, planned.sectors, planned.crossings) == (
        getpass.getuser(),
        "Ben",
        ("west", "east"),
        10,
    )
    capsys.readouterr()
    assert await asyncio.to_thread(main, ["walktest", "score", *config]) == 0
    shown = capsys.readouterr().out
    assert "no walk test is over yet" in shown
    assert "not monitored in these days: 0.0 h in 0 gaps" in shown
    monkeypatch.setattr(
        gateway.facade._parts.performance, "_clock", lambda: planned.until_us + 60 * S
    )
    assert await asyncio.to_thread(main, ["walktest", "score", *config]) == 0
    assert "west              0 of 10 crossings, Pd 0 % (0 to 31 %, 95 % exact)" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["announce", "--who", "Ben", "--sectors", "moon"], "moon"),
        (["announce", "--who", "Ben", "--sectors", "west", "--minutes", "0"], "minutes"),
        (["announce", "--who", "Ben", "--sectors", "west", "--crossings", "101"], "crossings"),
    ],
)
async def test_command_line_asks_of_a_running_gateway_what_cannot_be(
    gateway: Gateway,
    tmp_path: Path,
    words: list[str],
    expected: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = ["--config", str(tmp_path / "gateway.toml")]
    assert await asyncio.to_thread(main, ["walktest", *words, *config]) == 2
    error = capsys.readouterr().err
    assert (expected in error, error.count("\n")) == (True, 1), error


def test_walktest_command_that_cannot_be_done_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["--config", str(write_config(tmp_path, "port = 0"))]
    for words in (["announce"], ["score"], ["score", "--days", "0"], ["dance"]):
        assert main(["walktest", *words, *config]) == 2
        assert capsys.readouterr().err.count("\n") == 1
