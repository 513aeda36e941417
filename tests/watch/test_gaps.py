# SPDX-License-Identifier: MIT
"""Time without monitoring: recorded, shown, counted in reports and exports, notified."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.app import Gateway
from gateway.config import load_config
from gateway.console.operators import Role
from gateway.model.alarm import AlarmKind
from gateway.performance.measure import measure
from gateway.performance.monitored_time import MAX_GAPS, Gap, MonitoredTime, day_of
from gateway.service.watch.gaps import ASLEEP, GapWatch, record_gap
from gateway.store.interface import Snapshot, Writes
from tests.gateway.alarm_steps import T0, S
from tests.gateway.played_node import until, write_config
from tests.gateway.sign_in import enrol, signed_in
from tools.cli import main

HOUR_US = 3600 * S


def rows(book: MonitoredTime) -> dict[str, str]:
    writes = Writes()
    book.collect(writes)
    return {name: value for name, value in writes.state.items() if value}


def test_gap_between_two_runs_is_kept_over_restarts() -> None:
    book = MonitoredTime()
    assert book.missed(T0, "start") is None  # a new store missed nothing
    book.watched(T0 + HOUR_US)
    again = MonitoredTime()
    again.restore(Snapshot(state=rows(book)))
    assert again.missed(T0 + 3 * HOUR_US, "stopped") == Gap(
        T0 + HOUR_US, T0 + 3 * HOUR_US, "stopped"
    )
    third = MonitoredTime()
    third.restore(Snapshot(state=rows(again)))
    assert third.gaps == again.gaps and third.until_us == T0 + 3 * HOUR_US


def test_gap_of_a_restart_or_of_a_clock_set_back_is_none() -> None:
    book = MonitoredTime()
    book.watched(T0)
    assert book.missed(T0 + 9 * S, "restart") is None
    assert book.missed(T0 - HOUR_US, "the clock was set back") is None
    assert book.gaps == []


def test_gaps_are_bounded_in_memory_and_in_the_store() -> None:
    book, state = MonitoredTime(), dict[str, str]()
    for number in range(MAX_GAPS + 20):
        book.watched(T0 + number * 60 * S)
        book.missed(T0 + number * 60 * S + 30 * S, "flapping")
        writes = Writes()
        book.collect(writes)
        state |= writes.state
    assert len(book.gaps) == MAX_GAPS
    assert sum(n.startswith("unwatched:") and bool(v) for n, v in state.items()) == MAX_GAPS


def test_report_counts_a_gap_over_midnight_for_each_day() -> None:
    midnight = T0 - T0 % (24 * HOUR_US)
    gap = Gap(midnight - HOUR_US, midnight + 2 * HOUR_US, "slept")
    report = measure([], [], {}, [], T0, [gap])
    assert report["unwatched"]["hours"] == 3.0 and report["unwatched"]["gaps"] == 1
    hours = {day["day"]: day["unwatched_h"] for day in report["days"]}
    assert hours == {day_of(midnight - 1): 1.0, day_of(midnight): 2.0}


def open_kinds(gateway: Gateway) -> list[str]:
    return [one.kind.value for one in gateway.service.stages.monitor.state.alarms.open]


def config_of(folder: Path) -> Path:
    enrol(folder, "ben", Role.SUPERVISOR)
    return write_config(folder, "port = 0")


async def test_gateway_that_was_gone_for_hours_reports_it_on_page_report_and_as_an_alarm(
    tmp_path: Path,
) -> None:
    config = load_config(config_of(tmp_path))
    async with Gateway(config) as gateway:
        assert gateway.service.stages.monitored_time.gaps == []
        gone_us = gateway.facade.clock_us() - 2 * HOUR_US
        # As a machine that lost power two hours ago left it.
        gateway.service.stages.monitored_time.watched = lambda _now_us: None
        gateway.service.stages.monitored_time.until_us = gone_us
        gateway.service.stages.monitored_time._changed.add("watched_until")
    async with Gateway(config) as gateway:
        (gap,) = gateway.service.stages.monitored_time.gaps
        assert gap.from_us == gone_us and gap.cause == "the gateway did not run"
        await until(lambda: open_kinds(gateway) == ["gateway_lost"], 60)
        assert any("not monitored from" in line for line in gateway._warnings())
        async with signed_in(gateway, "ben") as ben:
            report = await (await ben.get("api/v1/performance?days=2")).json()
        assert report["unwatched"]["gaps"] == 1
        assert 2.0 <= report["unwatched"]["hours"] < 2.1
    out = tmp_path / "alarm.jsonl"
    words = ["alarm", "export", "1", "--by", "eva", "--reason", "case", "--out", str(out)]
    assert main([*words, "--config", str(tmp_path / "gateway.toml")]) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert any(line.get("action") == "watch.gap" for line in lines)


async def test_gateway_that_slept_knows_it_by_the_clock_that_counts_sleep(tmp_path: Path) -> None:
    uptime_s = [0.0]
    async with Gateway(load_config(config_of(tmp_path))) as gateway:
        stages = gateway.service.stages
        watch = GapWatch(gateway.service, lambda: 0, lambda: uptime_s[0])
        for _ in range(100):  # awake
            uptime_s[0] += 1.0
            watch.tick()
        assert stages.monitored_time.gaps == []
        uptime_s[0] += 1800.0
        watch.tick()
        await gateway.service.flush()
        (gap,) = stages.monitored_time.gaps
        assert (round(gap.seconds), gap.cause) == (1800, ASLEEP)
        await until(lambda: open_kinds(gateway) == ["gateway_lost"], 60)
        book = sum(day.supervised_s for day in stages.monitored_time.days.values())
        assert book == 60.0  # the sleep is not monitored time


async def test_gap_too_short_to_notify_is_recorded_all_the_same(tmp_path: Path) -> None:
    async with Gateway(load_config(config_of(tmp_path))) as gateway:
        stages, now_us = gateway.service.stages, gateway.facade.clock_us()
        assert record_gap(stages, now_us, ASLEEP, 30.0) == []
        assert [round(gap.seconds) for gap in stages.monitored_time.gaps] == [30]
        (active, over) = record_gap(stages, now_us + 100 * S, ASLEEP, 90.0)
        assert active.given.kind is AlarmKind.GATEWAY_LOST
        assert (active.given.active, over.given.active) == (True, False)
