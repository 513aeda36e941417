# SPDX-License-Identifier: MIT
"""The node's MQTT client under real MicroPython: a real broker, and faulty peers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from tests.broker import Broker, until
from tests.link.conftest import PASSWORD, USER
from tests.on_node import FIRMWARE, run_on_node

ON_NODE = Path(__file__).parent / "on_node"
CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x01"

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def client(interpreter: Path, log: Path, *args: str) -> Iterator[Callable[[], list[str]]]:
    """A running client.py; yields a function that reads its lines so far."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [interpreter, ON_NODE / "client.py", *args],
            stdout=out,
            stderr=out,
            env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:.frozen"},
        )
    try:
        yield lambda: log.read_text().splitlines()
    finally:
        process.kill()
        process.wait()


@contextmanager
def gateway(port: int, got: list[bytes]) -> Iterator[paho.Client]:
    """A subscriber of test/up."""
    made = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="gateway")
    made.username_pw_set("gateway", PASSWORD)
    subscribed: list[Any] = []
    made.on_message = lambda _client, _data, message: got.append(message.payload)
    made.on_subscribe = lambda *_args: subscribed.append(True)
    made.connect("127.0.0.1", port)
    made.subscribe("test/up", qos=1)
    made.loop_start()
    while not subscribed:
        pass
    try:
        yield made
    finally:
        made.disconnect()
        made.loop_stop()


@pytest.mark.parametrize("bits", ["micropython", "micropython_i386"])
def test_codec_with_hostile_bytes_raises_only_its_own_error(
    bits: str, request: pytest.FixtureRequest
):
    interpreter = request.getfixturevalue(bits)
    assert run_on_node(interpreter, ON_NODE / "packets_check.py") == ["ok"]


def test_client_with_a_real_broker_carries_messages_both_ways(
    micropython: Path, broker: Broker, tmp_path: Path
):
    got: list[bytes] = []
    with gateway(broker.port, got) as peer:
        args = (str(broker.port), USER, PASSWORD, "50")
        with client(micropython, tmp_path / "log", *args) as lines:
            until(lambda: "published 50" in lines(), 10)
            for i in range(20):
                peer.publish("test/down", f"order {i}", qos=i % 2)
            until(lambda: len(lines()) >= 22, 10)
            assert lines()[2:] == [f"got test/down order {i}" for i in range(20)]
        until(lambda: len(got) == 51, 10)
    assert got[:50] == [b"message %d" % i for i in range(50)]
    # The client was killed, so the broker publishes its Will.
    assert got[50] == b"will"


def test_client_with_a_wrong_password_prints_the_refusal(
    micropython: Path, broker: Broker, tmp_path: Path
):
    lines = run_on_node(micropython, ON_NODE / "client.py", str(broker.port), USER, "wrong", "0")
    assert lines == ["ended MqttError broker refuses: not authorised"]


def test_client_when_the_broker_dies_ends(micropython: Path, broker: Broker, tmp_path: Path):
    args = (str(broker.port), USER, PASSWORD, "0")
    with client(micropython, tmp_path / "log", *args) as lines:
        until(lambda: "open" in lines(), 10)
        broker.stop()
        until(lambda: any(line.startswith("ended") for line in lines()), 5)


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(2)
    writer.write(CONNACK)
    await asyncio.sleep(0.05)
    writer.write(SUBACK)
    await writer.drain()


def _sends(data: bytes, close: bool) -> Peer:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _greet(reader, writer)
        writer.write(data)
        await writer.drain()
        if close:
            writer.close()

    return peer


async def _silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    pass


async def _hangs_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in CONNACK * 20:
        writer.write(bytes([byte]))
        await asyncio.sleep(4)


async def _never_acknowledges(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _greet(reader, writer)
    while await reader.read(1000):
        pass


async def _talks_but_grants_nothing(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await reader.readexactly(2)
    writer.write(CONNACK)
    while True:
        writer.write(b"\xd0\x00")
        await asyncio.sleep(1)


# name: (peer, how the connection ends, within how many ms)
PEERS: dict[str, tuple[Peer, tuple[str, ...], int]] = {
    "cut in a packet": (_sends(b"\x32\x20\x00\x01d", True), ("EOFError", "OSError"), 2_000),
    "too long": (_sends(b"\x32\xff\xff\x03", False), ("MqttError",), 2_000),
    "garbage": (_sends(b"HTTP/1.1 400 Bad Request\r\n", False), ("MqttError",), 2_000),
    "puback for nothing": (_sends(b"\x40\x02\x7f\xff", False), ("MqttError",), 2_000),
    "second connack": (_sends(CONNACK, False), ("MqttError",), 2_000),
    "hangs up": (_hangs_up, ("EOFError", "OSError"), 2_000),
    "silent": (_silent, ("TimeoutError",), 12_000),
    "drips": (_drips, ("TimeoutError", "MqttError"), 12_000),
    "grants nothing": (_talks_but_grants_nothing, ("TimeoutError",), 12_000),
    "never acknowledges": (_never_acknowledges, ("TimeoutError", "MqttError"), 13_000),
}


async def test_client_with_faulty_peers_disconnects_in_time(micropython: Path):
    servers = [
        await asyncio.start_server(peer, "127.0.0.1", 0) for peer, _ended, _ms in PEERS.values()
    ]
    ports = [str(server.sockets[0].getsockname()[1]) for server in servers]
    lines = await asyncio.to_thread(
        run_on_node, micropython, ON_NODE / "bad_peers.py", *ports, heap="200k"
    )
    for server in servers:
        server.close()
    outcomes = {line.split()[0]: line.split()[1:] for line in lines}
    for port, (name, (_peer, ended, ms_max)) in zip(ports, PEERS.items(), strict=True):
        outcome, elapsed_ms = outcomes[port]
        assert outcome in ended, name
        assert int(elapsed_ms) < ms_max, name


async def test_client_that_connects_two_hundred_times_leaves_no_descriptor_open(
    micropython: Path, broker: Broker
):
    peers = [
        await asyncio.start_server(peer, "127.0.0.1", 0) for peer in (_hangs_up, _silent, _silent)
    ]
    hangs_up, silent, dead = (server.sockets[0].getsockname()[1] for server in peers)
    peers[2].close()  # no listener on this port any more
    args = (broker.port, USER, PASSWORD, 200, dead, hangs_up, silent)
    lines = await asyncio.to_thread(
        run_on_node, micropython, ON_NODE / "reconnects.py", *map(str, args), heap="200k"
    )
    for server in peers:
        server.close()
    assert len(lines) == 10
    assert len(set(lines)) == 1, lines


async def _goes_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # A half-open connection: the far end is gone, and no packet reported it.
    await _greet(reader, writer)
    await asyncio.sleep(60)


@pytest.mark.long
async def test_client_on_a_half_open_connection_closes_it_in_half_a_minute(
    micropython: Path, tmp_path: Path
):
    server = await asyncio.start_server(_goes_silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    started_s = time.monotonic()
    with client(micropython, tmp_path / "log", str(port), USER, PASSWORD, "0") as lines:
        await asyncio.to_thread(until, lambda: any(x.startswith("ended") for x in lines()), 40)
        assert lines() == ["open", "published 0", "ended TimeoutError "]
    server.close()
    assert 29 <= time.monotonic() - started_s <= 32
