# SPDX-License-Identifier: MIT
"""TCP between a node and its gateway that drops, delays, cuts, swallows and doubles."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_PUBLISH = 3
_CHUNK = 4096
_LATE_S = 0.2
_PIECE = 3
_PIECE_S = 0.002
# Each happens once, with the next bytes that fit it.
ONCE = ("cut up", "cut down", "ack lost", "receipt lost", "late")


class Proxy:
    """What passes. `once` holds what waits for its bytes; the rest lasts while it is set."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.once: list[str] = []
        self.refuses = self.swallows = self.throttles = False
        self.counters: Counter[str] = Counter()
        self._target_port = target_port
        self._passes = asyncio.Event()
        self._passes.set()
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self.reset()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def reset(self) -> None:
        """All connections end by a reset."""
        for line in list(self._lines):
            line.abort()

    def half_open(self) -> None:
        """Open connections carry no more data, and neither side is notified."""
        for line in self._lines:
            line.is_dead = True

    def delay(self, on: bool) -> None:
        """Bytes wait, and come later."""
        if on:
            self._passes.clear()
        else:
            self._passes.set()

    def take_once(self, name: str) -> bool:
        """Whether it waits; then it happens now."""
        if name not in self.once:
            return False
        self.once.remove(name)
        self.counters[name] += 1
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.counters["connections"] += 1
        line = _Line(self, reader, writer)
        self._lines.add(line)
        try:
            await line.run(self._target_port)
        except (OSError, asyncio.CancelledError):  # no other code awaits its task
            pass
        finally:
            line.abort()
            self._lines.discard(line)
            self._tasks.discard(task)

    async def until_passes(self) -> None:
        await self._passes.wait()


class _Line:
    """One connection of the node and the one it leads to."""

    def __init__(
        self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.is_dead = False
        self._proxy = proxy
        self._node = reader, writer
        self._writers = [writer]

    async def run(self, port: int) -> None:
        proxy, (reader, writer) = self._proxy, self._node
        if proxy.refuses:
            proxy.counters["refused"] += 1
            return
        if proxy.swallows:
            proxy.counters["swallowed"] += 1
            while await reader.read(_CHUNK):
                pass
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        self._writers.append(far_writer)
        pumps = [
            asyncio.create_task(self._pump("up", reader, far_writer)),
            asyncio.create_task(self._pump("down", far_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    def abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _pump(
        self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        proxy = self._proxy
        while data := await reader.read(_CHUNK):
            await proxy.until_passes()
            if self.is_dead:
                proxy.counters["bytes swallowed"] += len(data)
                continue
            if await self._once(way, data, writer):
                return
            if proxy.throttles:
                await _in_pieces(data, writer)
            else:
                writer.write(data)
                await writer.drain()
        if self.is_dead:
            await asyncio.sleep(3600)  # neither side sees the other's end

    async def _once(self, way: str, data: bytes, writer: asyncio.StreamWriter) -> bool:
        """True when this connection is over by one of the faults that happen once."""
        proxy, is_publish = self._proxy, data[0] >> 4 == _PUBLISH
        if proxy.take_once(f"cut {way}"):
            writer.write(data[: len(data) // 2])
            await writer.drain()
        elif way == "up" and is_publish and proxy.take_once("ack lost"):
            self.is_dead = True
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(_LATE_S)
        elif way == "down" and is_publish and proxy.take_once("receipt lost"):
            pass
        elif way == "up" and is_publish and proxy.take_once("late"):
            self._node[1].transport.abort()
            await asyncio.sleep(_LATE_S)
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(_LATE_S)
        else:
            return False
        return True


async def _in_pieces(data: bytes, writer: asyncio.StreamWriter) -> None:
    for at in range(0, len(data), _PIECE):
        writer.write(data[at : at + _PIECE])
        await writer.drain()
        await asyncio.sleep(_PIECE_S)
