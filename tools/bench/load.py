# SPDX-License-Identifier: MIT
"""Workbench, bench: the load generator, a process of its own: nodes on MQTT, QoS 1.

Prints "ready" when all nodes are connected, begins at a line on its input, and prints the
CLOCK_MONOTONIC nanoseconds at which it began; `--times` keeps those of every message.
"""

from __future__ import annotations

import argparse
import array
import asyncio
import sys
import time
from collections import defaultdict
from pathlib import Path

from gateway.broker.packets import ACCEPTED, Kind, Publish, frame
from gateway.wire.topics import uplink_topic
from tools.bench.messages import SITE, node_keys, node_names, read_messages

_WINDOW = 64  # messages of one node on the way to the broker
_AT_ONCE = 48  # connections being made: the gateway's own broker hears 64 strangers at a time
_KEEPALIVE_S = 300


class Node(asyncio.Protocol):
    """One connection; `send` waits for the broker's acknowledgements by windows."""

    def __init__(self, name: str, password: str) -> None:
        self.name = name
        self.gone = False
        self._password = password
        self._transport: asyncio.Transport
        self._loop = asyncio.get_running_loop()
        self._welcome: asyncio.Future[None] = self._loop.create_future()
        self._buffer = b""
        self._unacked = 0
        self._room = asyncio.Event()
        self._room.set()
        self._last_id = 0

    async def connect(self, port: int) -> None:
        """Connected and welcome when it returns. Raises OSError."""
        self._transport, _ = await self._loop.create_connection(lambda: self, "127.0.0.1", port)
        name, password = self.name.encode(), self._password.encode()
        fields = b"".join(len(part).to_bytes(2, "big") + part for part in (name, name, password))
        head = b"\x00\x04MQTT\x04\xc2" + _KEEPALIVE_S.to_bytes(2, "big")
        self._transport.write(frame(Kind.CONNECT, head + fields))
        await self._welcome

    def encode(self, payload: bytes) -> bytes:
        """The PUBLISH of one message."""
        self._last_id = self._last_id % 0xFFFF + 1
        return Publish(uplink_topic(SITE, self.name), payload, 1).encode(self._last_id)

    async def send(self, packets: list[bytes]) -> None:
        """As fast as the broker acknowledges."""
        for at in range(0, len(packets), _WINDOW // 2):
            part = packets[at : at + _WINDOW // 2]
            await self._room.wait()
            self.write(b"".join(part), len(part))
        while self._unacked:
            self._room.clear()
            await self._room.wait()

    def write(self, data: bytes, messages: int) -> None:
        """Send at once."""
        self._transport.write(data)
        self._unacked += messages
        if self._unacked > _WINDOW // 2:
            self._room.clear()

    def data_received(self, data: bytes) -> None:
        """CONNACK first, then PUBACKs: four bytes each."""
        self._buffer += data
        packets = len(self._buffer) // 4
        if not packets:
            return
        if not self._welcome.done():
            if self._buffer[3] == ACCEPTED:
                self._welcome.set_result(None)
            else:
                self._welcome.set_exception(OSError(f"refused with code {self._buffer[3]}"))
            packets -= 1
        self._buffer = self._buffer[len(self._buffer) // 4 * 4 :]
        self._unacked -= packets
        if self._unacked <= _WINDOW // 2:
            self._room.set()

    def hear_no_more(self) -> None:
        """Acknowledgements stay in the socket, which holds some ten thousand of them."""
        self._transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        """The broker is gone: nothing more is acknowledged."""
        self.gone = True
        if not self._welcome.done():
            self._welcome.set_exception(error or OSError("closed"))

    def close(self) -> None:
        """Let go."""
        self._transport.close()


async def connect_all(count: int, port: int) -> list[Node]:
    """Every node of the site, connected."""
    gate = asyncio.Semaphore(_AT_ONCE)
    nodes = [
        Node(name, keys.mqtt_password)
        for name, keys in zip(node_names(count), node_keys(count), strict=True)
    ]

    async def connect(node: Node) -> None:
        async with gate:
            await node.connect(port)

    await asyncio.gather(*(connect(node) for node in nodes))
    return nodes


async def _flood(nodes: list[Node], path: Path) -> None:
    packets: dict[int, list[bytes]] = defaultdict(list)
    for index, payload in read_messages(path):
        packets[index].append(nodes[index].encode(payload))
    await _begin()
    await asyncio.gather(*(nodes[index].send(mine) for index, mine in packets.items()))


async def _pace(nodes: list[Node], path: Path, rate: float) -> array.array[int]:
    packets = [(index, nodes[index].encode(payload)) for index, payload in read_messages(path)]
    for node in nodes:  # to wake for each would take the processor from what is measured
        node.hear_no_more()
    await _begin()
    times = _send_evenly(nodes, packets, rate)
    await asyncio.sleep(1)
    return times


def _send_evenly(
    nodes: list[Node], packets: list[tuple[int, bytes]], rate: float
) -> array.array[int]:
    """The loop stands still meanwhile: its own timers go in whole milliseconds, which makes two
    messages at once, and none, of what should come each millisecond."""
    times = array.array("q")
    start = time.monotonic()
    for number, (index, data) in enumerate(packets):
        time.sleep(max(0, start + number / rate - time.monotonic()))
        times.append(time.monotonic_ns())
        nodes[index].write(data, 1)
    return times


async def _begin() -> None:
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print(time.monotonic_ns(), flush=True)


async def _run(args: argparse.Namespace) -> None:
    nodes = await connect_all(args.nodes, args.port)
    if args.rate:
        times = await _pace(nodes, args.messages, args.rate)
        args.times.write_bytes(times.tobytes())
    else:
        await _flood(nodes, args.messages)
    for node in nodes:
        node.close()


def main() -> None:
    """Run by `groundwatch bench`."""
    parser = argparse.ArgumentParser(prog="tools.bench.load", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0, help="messages/s; 0: as fast as can be")
    parser.add_argument("--times", type=Path, help="where the send times of --rate go")
    parser.add_argument("messages", type=Path)
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
