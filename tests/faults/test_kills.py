# SPDX-License-Identifier: MIT
"""SIGKILL at random and at named points while nodes send: every receipted message is kept, once."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from pathlib import Path

import pytest

from tests.faults.life import POINTS, Life
from tests.faults.nodes import Crowd, assert_all_once
from tests.faults.process import gateway
from tests.gateway.brokers import running_mosquitto
from tests.gateway.played_node import write_config
from tests.ports import free_port

SEED = 20261125
KILLS = [
    pytest.param(2 * len(POINTS), id="few", marks=pytest.mark.long),
    pytest.param(1000, id="thousand", marks=pytest.mark.faults),
]
_LINGER_S = 3.0  # for a point that is not reached


@pytest.mark.parametrize("kind", ["embedded", "external"])
@pytest.mark.parametrize("kills", KILLS)
async def test_gateway_killed_anywhere_keeps_what_it_gave_receipts_for_and_all_once(
    kills: int, kind: str, tmp_path: Path
) -> None:
    rng, port, ready_s = random.Random(SEED), free_port(), list[float]()
    kills = kills if kind == "embedded" or kills < 100 else kills // 10
    async with running_mosquitto(tmp_path, port, wanted=kind == "external"):
        config = write_config(tmp_path, f'kind = "{kind}"\nport = {port}')
        crowd = Crowd(port)
        async with crowd.running():
            for number in range(kills):
                # Every second kill is at a named point, the others are at random times.
                named = number % 2 == 0
                point = POINTS[number // 2 % len(POINTS)] if named else ""
                life = Life(config, point, rng.randrange(1, 4))
                if not await asyncio.to_thread(life.start):
                    continue
                ready_s.append(life.ready_s)
                if named:
                    await until_over(life)
                else:
                    await crowd.until_progress()
                    await asyncio.sleep(rng.uniform(0, 0.1))
                    life.kill()
            life = Life(config)
            assert await asyncio.to_thread(life.start)
            await crowd.until_empty()
            life.stop()
    rows = assert_all_once(tmp_path / "data" / "groundwatch.db", crowd)
    assert rows > kills
    print(
        f"\n{kind}: {kills} kills, {rows} messages, 0 lost, each once; "
        f"ready again after median {statistics.median(ready_s):.2f} s, most {max(ready_s):.2f} s"
    )
    async with gateway(config) as running:
        print(f"a new process on this store is ready after {running.ready_s:.2f} s")


async def until_over(life: Life) -> None:
    """Wait until it is killed at its point, or kill it: some points are rarely reached."""
    deadline_s = time.monotonic() + _LINGER_S
    while not life.over and time.monotonic() < deadline_s:  # noqa: ASYNC110  # a process has no event
        await asyncio.sleep(0.01)
    life.kill()
