# SPDX-License-Identifier: MIT
"""One thing of the picture that a sink cannot translate keeps no other from the other side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.ports.discovery import find_type
from tests.connectors.harnesses import NOTIFY
from tests.connectors.mosquitto import Mosquitto, retained
from tests.connectors.running import eventually, running
from tests.ports import free_port

# Its table, the things that cannot be translated, and topics that are there all the same.
SINKS: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "mqtt": ({"mirror": True, **NOTIFY}, ("node", "alarm"), "groundwatch/alarms/state/#"),
    "home_assistant": ({}, ("node",), "groundwatch/ha/yard/#"),
}


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    made = Mosquitto(tmp_path, free_port())
    await made.start()
    yield made
    await made.kill()


@pytest.mark.parametrize("kind", SINKS)
async def test_sink_passes_over_what_cannot_be_translated(kind: str, broker: Mosquitto) -> None:
    more, bad, topics = SINKS[kind]
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, given: faults.append(given))
    table = {"kind": kind, "name": "other", "host": "127.0.0.1", "port": broker.port, **more}
    async with running(find_type(kind), table, Path()) as made:
        made.put_site()
        for one in bad:
            made.picture.put(one, "poison", object())
        await eventually(lambda: made.status.state == "connected")
        made.put_node("n02", battery_mv=3333)
        await eventually(lambda: made.status.counters["untranslated"] >= len(bad))

        async def is_there() -> bool:
            found = await retained(broker.port, topics)
            return any(b"3333" in value or b"3.333" in value for value in found.values())

        await eventually(is_there)
        found = await retained(broker.port, topics)
        assert not [topic for topic in found if "poison" in topic]
        assert made.status.restarts == 0
    assert {given["part"] for given in faults} == {"connector other"}
