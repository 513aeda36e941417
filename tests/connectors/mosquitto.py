# SPDX-License-Identifier: MIT
"""A mosquitto that can be killed and started again, and paho subscribers that come late."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.gateway.brokers import mosquitto

HOST = "127.0.0.1"


class Mosquitto:
    """On loopback, anonymous. `more` goes into its configuration."""

    def __init__(self, folder: Path, port: int, more: str = "") -> None:
        self.port = port
        self._conf = folder / f"mosquitto-{port}.conf"
        self._conf.write_text(f"listener {port} {HOST}\nallow_anonymous true\n{more}")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            mosquitto(), "-c", str(self._conf), stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(10):
            while True:
                try:
                    _reader, writer = await asyncio.open_connection(HOST, self.port)
                    break
                except OSError:
                    await asyncio.sleep(0.02)
        writer.close()

    async def kill(self) -> None:
        """SIGKILL: no client gets a DISCONNECT."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
            self._process = None


def _client() -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, f"late-{uuid.uuid4().hex[:8]}")
    client.reconnect_delay_set(1, 1)
    return client


def _retained(port: int, filters: Sequence[str]) -> dict[str, bytes]:
    """What a subscriber that comes now is sent: complete, since a mark comes after all of it."""
    found: dict[str, bytes] = {}
    done, subscribed = threading.Event(), threading.Event()
    client, mark = _client(), f"mark/{uuid.uuid4().hex}"

    def on_message(_client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        if message.topic == mark:
            done.set()
        elif message.retain:
            found[message.topic] = message.payload

    client.on_message = on_message
    client.on_subscribe = lambda *_arguments: subscribed.set()
    client.connect(HOST, port)
    client.loop_start()
    try:
        client.subscribe([(one, 1) for one in (*filters, mark)])
        assert subscribed.wait(5)
        client.publish(mark, b"x", 1)
        assert done.wait(5)
    finally:
        client.disconnect()
        client.loop_stop()
    return found


async def retained(port: int, *filters: str) -> dict[str, bytes]:
    """What a late subscriber is sent; nothing while the broker is away."""
    try:
        return await asyncio.to_thread(_retained, port, filters)
    except (OSError, AssertionError):
        return {}


async def retained_json(port: int, *filters: str) -> dict[str, Any]:
    """The same, parsed."""
    found = await retained(port, *filters)
    return {topic: json.loads(value) for topic, value in found.items() if value[:1] in b"{["}


async def publish(port: int, messages: Sequence[tuple[str, bytes]], retain: bool = False) -> None:
    """At QoS 1; returns when the broker has them."""

    def send() -> None:
        client = _client()
        client.max_inflight_messages_set(100)
        client.connect(HOST, port)
        client.loop_start()
        sent = [client.publish(topic, payload, 1, retain) for topic, payload in messages]
        for one in sent:
            one.wait_for_publish(10)
        client.disconnect()
        client.loop_stop()

    await asyncio.to_thread(send)


class Listener:
    """A subscriber that stays, also over a restart of the broker."""

    def __init__(self, port: int, *filters: str) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.newest: dict[str, bytes] = {}
        self._port = port
        self._filters = filters
        self._subscribed = threading.Event()
        self._client = _client()
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_arguments: self._subscribed.set()
        self._client.on_message = self._on_message

    async def __aenter__(self) -> Listener:
        await asyncio.to_thread(self._client.connect, HOST, self._port)
        self._client.loop_start()
        assert await asyncio.to_thread(self._subscribed.wait, 5)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def _on_connect(self, client: paho.Client, *_arguments: Any) -> None:
        client.subscribe([(one, 1) for one in self._filters])

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.received.append((message.topic, message.payload))
        self.newest[message.topic] = message.payload
