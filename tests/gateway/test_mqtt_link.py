# SPDX-License-Identifier: MIT
"""The MQTT link by itself, on a real broker that is killed and started again."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.links.mqtt import MqttLink
from gateway.mqtt.access import MqttAccess
from gateway.ports.link import Arrival, Offer
from tests.gateway.brokers import Offered, running_mosquitto
from tests.gateway.played_node import SITE, MqttNode, until
from tests.ports import free_port


@asynccontextmanager
async def running_link(port: int, offer: Offer) -> AsyncIterator[MqttLink]:
    access = MqttAccess("127.0.0.1", port, None, None, "gateway", persistent=True)
    link = MqttLink(access, SITE, offer, lambda: 0)
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(5):
            await link.ready.wait()
        yield link
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_mqtt_link_queue_full_messages_wait_and_are_acknowledged_later(
    tmp_path: Path,
) -> None:
    node, offered, port = MqttNode("n01"), Offered(room=0), free_port()
    async with running_mosquitto(tmp_path, port), running_link(port, offered.offer) as link:
        node.connect(port)
        await until(lambda: node.subscribed)
        sent = [b"%d" % number for number in range(40)]  # more than the broker's window
        infos = [node.publish(payload) for payload in sent]
        await until(lambda: offered.refused > 20)
        assert link.counters["up"] == 1
        offered.room = 1000
        assert [(await offered.next()).payload for _ in sent] == sent
        await until(lambda: all(info.is_published() for info in infos))
        assert link.counters["connects"] == 1
        node.disconnect()


async def test_mqtt_link_broker_killed_comes_back_with_what_was_not_acknowledged(
    tmp_path: Path,
) -> None:
    node, offered, port = MqttNode("n01"), Offered(acknowledging=False), free_port()
    kept = f"persistence true\npersistence_location {tmp_path}/\nuser {getpass.getuser()}\n"
    async with running_mosquitto(tmp_path, port, more=kept):
        running = running_link(port, offered.offer)
        link = await running.__aenter__()
        node.connect(port)
        await until(lambda: node.subscribed)
        node.publish(b"x")
        assert (await offered.next()).payload == b"x"
        node.disconnect()
    await until(lambda: not link.connected)
    assert not link.send(node.down, b"away")
    offered.acknowledging = True
    async with running_mosquitto(tmp_path, port, more=kept):
        assert (await offered.next(20.0)).payload == b"x"
        await until(lambda: link.counters["connects"] == 2)
        await running.__aexit__(None, None, None)
    async with running_mosquitto(tmp_path, port, more=kept), running_link(port, offered.offer):
        # Acknowledged: the broker does not send it a third time, but what comes after it.
        node.connect(port)
        await until(lambda: node.subscribed)
        node.publish(b"after")
        assert (await offered.next()).payload == b"after"
        node.disconnect()


async def test_mqtt_link_fault_of_our_own_costs_one_message_and_not_the_connection(
    tmp_path: Path,
) -> None:
    node, offered, port = MqttNode("n01"), Offered(), free_port()
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, given: faults.append(given))

    def offer(arrival: Arrival) -> bool:
        if arrival.payload == b"poison":
            raise LookupError("injected")
        return offered.offer(arrival)

    async with running_mosquitto(tmp_path, port), running_link(port, offer) as link:
        node.connect(port)
        await until(lambda: node.subscribed)
        infos = [node.publish(payload) for payload in (b"1", b"poison", b"2")]
        assert [(await offered.next(20.0)).payload for _ in range(2)] == [b"1", b"2"]
        await until(lambda: all(info.is_published() for info in infos))
        assert (link.counters["faults"], link.counters["connects"], len(faults)) == (1, 1, 1)
        node.disconnect()
