# SPDX-License-Identifier: MIT
"""The gateway's clock jumps, the broker is killed: no message is lost, no node alarm is raised."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import random
import sqlite3
from pathlib import Path

import pytest

from tests.faults.life import Life
from tests.faults.nodes import Crowd, assert_all_once
from tests.gateway.brokers import running_mosquitto
from tests.gateway.played_node import write_config
from tests.ports import free_port

SEED = 20261127
_HOUR_US = 3_600_000_000
# Of the 365 days that detections are kept: one more, and midnight may delete them during the test.
_YEAR_US = 364 * 24 * _HOUR_US
# More than a node's missing heartbeats take to raise an alarm, summer time, a year, and back.
JUMPS_US = (200_000_000, -_HOUR_US, _HOUR_US, _YEAR_US, -_YEAR_US)
TIMES = [pytest.param(1, id="few"), pytest.param(20, id="many", marks=pytest.mark.faults)]


@pytest.mark.parametrize("times", TIMES)
async def test_clock_of_the_gateway_jumps_and_no_message_or_node_is_lost(
    times: int, tmp_path: Path
) -> None:
    port = free_port()
    config = write_config(tmp_path, f'kind = "embedded"\nport = {port}')
    offset = multiprocessing.get_context("forkserver").Value("q", 0)
    crowd = Crowd(port)
    life = Life(config, offset=offset)
    assert await asyncio.to_thread(life.start)
    async with crowd.running():
        for jump_us in JUMPS_US * times:
            await crowd.until_progress(2)
            offset.value += jump_us
            await crowd.until_progress(2)
        await crowd.until_empty()
    life.stop()
    database = tmp_path / "data" / "groundwatch.db"
    rows = assert_all_once(database, crowd)
    assert alarms(database, "node_lost") == 0
    print(f"\n{len(JUMPS_US) * times} clock jumps: {rows} messages, 0 lost, no node called lost")


@pytest.mark.parametrize("times", [pytest.param(3, id="few"), *TIMES[1:]])
async def test_broker_killed_repeatedly_loses_no_message(times: int, tmp_path: Path) -> None:
    rng, port = random.Random(SEED), free_port()
    config = write_config(tmp_path, f'kind = "external"\nport = {port}')
    crowd = Crowd(port)
    life = Life(config)
    assert await asyncio.to_thread(life.start)
    async with crowd.running():
        for _ in range(times):
            async with running_mosquitto(tmp_path, port):
                await crowd.until_progress(2)
                await asyncio.sleep(rng.uniform(0, 0.1))
        async with running_mosquitto(tmp_path, port):
            await crowd.until_empty()
    life.stop()
    rows = assert_all_once(tmp_path / "data" / "groundwatch.db", crowd)
    print(f"\n{times} broker restarts: {rows} messages, 0 lost, each once")


def alarms(database: Path, kind: str) -> int:
    with contextlib.closing(sqlite3.connect(database)) as db:
        (count,) = db.execute("SELECT count(*) FROM alarm WHERE kind = ?", (kind,)).fetchone()
        return int(count)
