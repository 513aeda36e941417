# SPDX-License-Identifier: MIT
"""Two gateways with one client id at one broker: each session ends the other's."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from gateway.links import mqtt
from gateway.links.mqtt import RIVAL, MqttLink
from gateway.mqtt.session import MqttAccess
from tests.gateway.brokers import running_mosquitto
from tests.gateway.played_node import until
from tests.ports import free_port


async def test_gateways_with_one_client_id_step_back_and_report_it(tmp_path: Path) -> None:
    port = free_port()
    async with running_mosquitto(tmp_path, port):
        access = MqttAccess("127.0.0.1", port, None, None, "gateway", persistent=True)
        links = [MqttLink(access, "yard", lambda _arrival: True, lambda: 0) for _ in range(2)]
        tasks = [asyncio.create_task(link.run()) for link in links]
        await until(lambda: any(link.has_rival for link in links), 120)
        (back, *_more) = [link for link in links if link.has_rival]
        # It stays away for longer than any wait between two takings-over.
        other = links[1 - links.index(back)]
        await until(lambda: other.connected, 60)
        taken = back.counters["connects"]
        await asyncio.sleep(2.0)
        assert back.has_rival and back.counters["connects"] == taken
        assert back.counters["stepped_back"] >= 1
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    assert back.problem == RIVAL
    assert taken < 60, "not hundreds of them"
    assert mqtt._BACK_FIRST_S * 0.5 > 2.0
