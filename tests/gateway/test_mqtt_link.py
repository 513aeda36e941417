# SPDX-License-Identifier: MIT
"""The MQTT link by itself, on a real broker."""

from __future__ import annotations

import asyncio

from gateway.broker.embedded import EmbeddedBroker
from gateway.links.interface import Arrival
from gateway.links.mqtt import MqttAccess, MqttLink
from tests.gateway.played_node import SITE, MqttNode, until


async def test_mqtt_link_queue_full_messages_wait_and_are_acknowledged_later() -> None:
    node, taken, room = MqttNode("n01"), list[bytes](), False

    def offer(arrival: Arrival) -> bool:
        if room:
            taken.append(arrival.payload)
            arrival.acknowledge()
        return room

    passwords = {"n01": (node.keys.mqtt_password,)}
    async with EmbeddedBroker("127.0.0.1", 0, SITE, passwords) as broker:
        access = MqttAccess(*broker.address, broker.username, broker.password, "gateway", False)
        link = MqttLink(access, SITE, offer, lambda: 0)
        running = asyncio.create_task(link.run())
        await link.ready.wait()
        node.connect(broker.port)
        await until(lambda: node.subscribed)
        sent = [b"%d" % number for number in range(40)]  # more than the broker lets be under way
        infos = [node.publish(payload) for payload in sent]
        await until(lambda: link.counters["held_back"])
        await asyncio.sleep(0.2)
        assert link.counters["up"] < 5
        room = True
        await until(lambda: all(info.is_published() for info in infos))
        assert taken == sent
        assert link.counters["connects"] == 1
        node.disconnect()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
