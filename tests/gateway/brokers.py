# SPDX-License-Identifier: MIT
"""Peers of brokers: a mosquitto of no gateway, MQTT by hand, and the gateway's side of a broker."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.broker.embedded import EmbeddedBroker
from gateway.broker.interface import Broker
from gateway.broker.packets import Kind, Publish, frame, read_packet
from gateway.ports.link import Arrival
from tests.gateway.played_node import SITE
from tests.processes import end


def mosquitto() -> str:
    program = shutil.which(
        "mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/opt/homebrew/sbin"
    )
    if program is None:
        pytest.fail("mosquitto is not installed: apt-get install mosquitto")
    return program


async def until_listening(port: int) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except OSError:
                await asyncio.sleep(0.02)
    writer.close()


@asynccontextmanager
async def running_mosquitto(
    folder: Path, port: int, wanted: bool = True, more: str = "", first: str = ""
) -> AsyncIterator[None]:
    """Anonymous, on loopback; `first` and `more` go into its configuration."""
    if not wanted:
        yield
        return
    conf = folder / "open.conf"
    conf.write_text(
        f"{first}listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n{more}"
    )
    log = folder / "open.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            mosquitto(), "-c", str(conf), stderr=output, stdout=output
        )
    try:
        await until_listening(port)
        yield
    except TimeoutError:
        if process.returncode is not None:
            pytest.fail(f"mosquitto ended with {process.returncode}: {log.read_text()[-500:]}")
        raise
    finally:
        await end(process)


class Client:
    """MQTT by hand, so that it can do what a library would not."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def next(self, wanted: Kind, seconds: float = 2.0) -> bytes:
        async with asyncio.timeout(seconds):
            while True:
                kind, _flags, body = await read_packet(self.reader, 4096)
                if kind is wanted:
                    return body

    async def closed(self, seconds: float = 3.0) -> bool:
        """The broker ends the connection (whatever it sends before)."""
        try:
            async with asyncio.timeout(seconds):
                await self.reader.read(-1)
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True

    def publish(self, topic: str, payload: bytes, packet_id: int) -> None:
        """At QoS 1, at QoS 0 with packet id 0."""
        self.writer.write(Publish(topic, payload, min(packet_id, 1)).encode(packet_id))

    async def acknowledged(self) -> int:
        """The packet id of the next PUBACK."""
        return int.from_bytes(await self.next(Kind.PUBACK), "big")


def text(value: str) -> bytes:
    return len(value.encode()).to_bytes(2, "big") + value.encode()


async def connect(
    address: tuple[str, int],
    user: str,
    password: str,
    client_id: str = "",
    will: str = "",
    keepalive_s: int = 30,
) -> tuple[Client, int]:
    """A client and the code of its CONNACK (-1: closed without one)."""
    client = Client(*await asyncio.open_connection(*address))
    flags = 0xC2 | (0x0C if will else 0)
    body = text("MQTT") + bytes((4, flags, 0, keepalive_s)) + text(client_id or user)
    body += text(will) + text("gone") if will else b""
    client.writer.write(frame(Kind.CONNECT, body + text(user) + text(password)))
    try:
        return client, (await client.next(Kind.CONNACK))[1]
    except (asyncio.IncompleteReadError, ConnectionError):
        return client, -1


@dataclass
class Offered:
    """What the embedded broker offers; `room` for so many more."""

    room: int = 1 << 30
    arrived: asyncio.Queue[Arrival] = field(default_factory=asyncio.Queue)
    acknowledging: bool = True
    refused: int = 0

    def offer(self, arrival: Arrival) -> bool:
        if not self.room:
            self.refused += 1
            return False
        self.room -= 1
        self.arrived.put_nowait(arrival)
        if self.acknowledging:
            arrival.acknowledge()
        return True

    async def next(self, seconds: float = 2.0) -> Arrival:
        async with asyncio.timeout(seconds):
            return await self.arrived.get()

    def embedded(self, passwords: dict[str, tuple[str, ...]], port: int = 0) -> EmbeddedBroker:
        return EmbeddedBroker("127.0.0.1", port, SITE, passwords, self.offer, lambda: 7)


class GatewaySide:
    """What reaches the gateway, and how it sends, through either broker."""

    def __init__(self, broker: Broker, offered: Offered) -> None:
        self._broker, self._offered = broker, offered
        self._client: Client | None = None

    async def start(self) -> None:
        access = self._broker.access
        if access is None:
            return
        assert access.username
        assert access.password
        self._client, code = await connect(self._broker.address, access.username, access.password)
        assert code == 0
        topics = f"groundwatch/v1/{SITE}/+/up"
        self._client.writer.write(frame(Kind.SUBSCRIBE, b"\0\1" + text(topics) + b"\1"))
        await self._client.next(Kind.SUBACK)

    async def next(self) -> tuple[str, bytes]:
        """(topic, payload) of the next message."""
        if self._client is None:
            arrival = await self._offered.next()
            return arrival.topic, arrival.payload
        body = await self._client.next(Kind.PUBLISH)
        size = int.from_bytes(body[:2], "big")
        return body[2 : 2 + size].decode(), body[4 + size :]

    async def until_marker(self, node: Client, topic: str) -> list[tuple[str, bytes]]:
        """What arrives up to the node's own marker."""
        node.publish(topic, b"marker", 99)
        found = [await self.next()]
        while found[-1][1] != b"marker":
            found.append(await self.next())
        return found

    def send(self, topic: str, payload: bytes) -> None:
        if self._client is not None:
            self._client.publish(topic, payload, 0)
        else:
            assert isinstance(self._broker, EmbeddedBroker)
            self._broker.send(topic, payload)
