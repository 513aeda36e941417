# SPDX-License-Identifier: MIT
"""Connectors: mqtt: a connection for each notification, and one that keeps the mirror."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

from gateway.connectors.mqtt import translate
from gateway.connectors.mqtt.config import MqttConfig
from gateway.model.text import format_json
from gateway.mqtt.configured import broker_access
from gateway.mqtt.mirror import Mirror
from gateway.mqtt.session import MqttSession, take_nothing
from gateway.ports.connector import DELIVERY_TIMEOUT_S, Context, DeliveryError, Port
from gateway.ports.follow import follow, one_thing
from gateway.ports.picture import Delta
from gateway.ports.problems import failure_text

_MAX_STALE = 1024
# Our own retained messages come back when a session starts; views are longer than uplinks.
_MAX_PACKET = 65_536


class Mqtt:
    """A connection for each notification: they are few, and a broken one is noticed at once."""

    def __init__(self, config: MqttConfig, context: Context) -> None:
        self._topic = config.topic
        name = f"groundwatch-{context.site.name}-{config.name}"
        self._access = broker_access(config, name)

    async def deliver(self, body: dict[str, Any]) -> str:
        """At QoS 1: the broker acknowledged it when this returns. Raises DeliveryError."""
        session = MqttSession(self._access, None, take_nothing, Counter())
        try:
            async with asyncio.timeout(DELIVERY_TIMEOUT_S):
                await session.open()
                await session.deliver(self._topic, format_json(body).encode())
        except (OSError, TimeoutError) as error:
            raise DeliveryError(failure_text(error)) from None
        finally:
            session.close()
        return "the broker acknowledged it"


class MqttMirror(Mqtt):
    """Also keeps the picture on the broker, retained: a late subscriber has all of it at once."""

    async def run(self, port: Port) -> None:
        """Until cancelled. Raises OSError, TimeoutError."""
        root, counters, picture = self._topic, port.status.counters, port.picture
        stale: asyncio.Queue[str] = asyncio.Queue(_MAX_STALE)

        def receive(topic: str, payload: bytes, retained: bool) -> None:
            """What the broker kept of an earlier run, and is not true any more."""
            key = translate.state_key(root, topic)
            if not retained or not payload or key is None or picture.get(*key) is not None:
                return
            if stale.full():
                counters["full"] += 1
            else:
                stale.put_nowait(topic)

        async def clear_stale(mirror: Mirror) -> None:
            while True:
                topic = await stale.get()
                key = translate.state_key(root, topic)
                if key is not None and picture.get(*key) is None:
                    await mirror.clear([topic])

        await picture.changed(0)  # before that nothing is known to be stale
        access = replace(
            self._access,
            client_id=f"{self._access.client_id}-mirror",
            max_packet_bytes=_MAX_PACKET,
        )
        status, filters = translate.status_topic(root), [translate.state_filter(root)]
        async with (
            Mirror(access, status, filters, receive, counters) as mirror,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(mirror.closed())
            tasks.create_task(clear_stale(mirror))
            async for delta in follow(picture):
                await mirror.put(self._wanted(port, mirror, delta))
                await mirror.online()
                port.status.connected(port.clock_us())

    def _wanted(self, port: Port, mirror: Mirror, delta: Delta) -> dict[str, bytes]:
        """Topic -> payload of what changed; empty for what is gone."""
        wanted = {}
        for change in delta.changes:
            with one_thing(port.name, port.status):
                topic = translate.state_topic(self._topic, change.kind, change.id)
                wanted[topic] = translate.payload(change)
        if delta.whole:
            status = translate.status_topic(self._topic)
            gone = [topic for topic in mirror.sent if topic not in wanted and topic != status]
            wanted |= dict.fromkeys(gone, b"")
        return wanted


def make(config: MqttConfig, context: Context) -> Mqtt:
    """Raises ConfigError."""
    return MqttMirror(config, context) if config.mirror else Mqtt(config, context)
