# SPDX-License-Identifier: MIT
"""Broker: does it enforce its rules? MQTT 3.1.1 refuses silently, so they have to be tried."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from gateway.broker.embedded import EmbeddedBroker
from gateway.broker.packets import Kind, PacketError, Publish, frame, parse_publish, read_packet
from gateway.errors import BrokerError
from gateway.ports.link import Arrival
from gateway.wire.topics import MAX_PACKET, uplink_filter, uplink_topic

PROBE_USER = "canary"
_TIMEOUT_S = 5.0
_MAX_ARRIVED = 16


class NoAnswer(BrokerError):
    """The broker did not answer, so that nothing is known of its rules."""


_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def check_rules(
    address: tuple[str, int], site: str, gateway: tuple[str, str], probe_password: str
) -> None:
    """Check that the broker refuses a client without a password, and does not deliver a message of
    the probe on another's topic to a gateway with these credentials. Raises BrokerError otherwise.
    """
    async with _testing(), _connection(address, *gateway) as (listener, out):
        out.write(_subscribe(uplink_filter(site)))
        await _next(listener, Kind.SUBACK)

        async def payload() -> bytes:
            return parse_publish(*await _next(listener, Kind.PUBLISH)).payload

        await _check(address, site, payload, probe_password)


async def answers(address: tuple[str, int], user: tuple[str, str]) -> bool:
    """Whether the broker lets this user in, within some seconds."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await _connects(address, *user)
    except (OSError, TimeoutError):
        return False


async def check_embedded(port: int, site: str) -> None:
    """The same of the embedded broker, which hands over what arrives in process."""
    password = secrets.token_hex(16)
    arrived: asyncio.Queue[bytes] = asyncio.Queue(_MAX_ARRIVED)

    def offer(arrival: Arrival) -> bool:
        arrived.put_nowait(arrival.payload)
        arrival.acknowledge()
        return True

    users = {PROBE_USER: (password,)}
    async with (
        EmbeddedBroker("127.0.0.1", port, site, users, offer, lambda: 0) as broker,
        _testing(),
    ):
        await _check(broker.address, site, arrived.get, password)


@asynccontextmanager
async def _testing() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            yield
    except (OSError, TimeoutError, PacketError, asyncio.IncompleteReadError) as error:
        detail = str(error) or type(error).__name__
        raise NoAnswer(f"the broker cannot be tested: {detail}") from None


async def _check(
    address: tuple[str, int],
    site: str,
    arrived: Callable[[], Awaitable[bytes]],
    probe_password: str,
) -> None:
    if await _connects(address, "stranger", None):
        raise BrokerError("the broker accepts clients without a password; it must require one")
    if await _connects(address, PROBE_USER, secrets.token_hex(16)):
        raise BrokerError("the broker accepts a wrong password")
    token = secrets.token_bytes(16)
    foreign = uplink_topic(site, "someone-else")
    own = uplink_topic(site, PROBE_USER)
    probe = (PROBE_USER, probe_password)
    try:
        await _publish(address, probe, Publish(foreign, token + b"1", 1))
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # the connection was ended for it: just as good
    await _publish(address, probe, Publish(own, token + b"2", 1))
    while True:
        payload = await arrived()
        if payload == token + b"1":
            raise BrokerError("the broker lets a node publish on another's topic")
        if payload == token + b"2":
            return


async def _publish(address: tuple[str, int], user: tuple[str, str], message: Publish) -> None:
    """Sent, and processed by the broker when this returns."""
    async with _connection(address, *user) as (reader, writer):
        writer.write(message.encode(1) + frame(Kind.PINGREQ))
        await _next(reader, Kind.PINGRESP)


async def _connects(address: tuple[str, int], user: str, password: str | None) -> bool:
    try:
        async with _connection(address, user, password):
            return True
    except (PacketError, ConnectionError, asyncio.IncompleteReadError):
        return False


@asynccontextmanager
async def _connection(
    address: tuple[str, int], user: str, password: str | None
) -> AsyncIterator[_Streams]:
    reader, writer = await asyncio.open_connection(*address)
    try:
        flags = 0x02 | (0xC0 if password is not None else 0)
        body = _text("MQTT") + bytes((4, flags, 0, 30)) + _text(user)
        if password is not None:
            body += _text(user) + _text(password)
        writer.write(frame(Kind.CONNECT, body))
        _flags, answer = await _next(reader, Kind.CONNACK)
        if answer[1]:
            raise PacketError(f"connection refused with code {answer[1]}")
        yield reader, writer
        writer.write(frame(Kind.DISCONNECT))
        await writer.drain()
    finally:
        writer.close()


async def _next(reader: asyncio.StreamReader, wanted: Kind) -> tuple[int, bytes]:
    """(flags, body) of the next packet of that kind."""
    while True:
        kind, flags, body = await read_packet(reader, MAX_PACKET)
        if kind is wanted:
            return flags, body


def _subscribe(topics: str) -> bytes:
    return frame(Kind.SUBSCRIBE, b"\0\1" + _text(topics) + b"\0")


def _text(value: str) -> bytes:
    return len(value.encode()).to_bytes(2, "big") + value.encode()
