# SPDX-License-Identifier: MIT
"""Board layer, simulated: a TCP link between nodes and their broker with loss, delay and cuts.

TCP repeats lost packets, so loss appears as connections that break. `loss_pct` is the share of
a node's publishes whose connection breaks before they arrive, as in virtual time (`Faults`).
"""

import asyncio
import random
from types import TracebackType
from typing import Self

from sim_hardware.errors import SimError
from sim_hardware.loopback import free_port

_PUBLISH = 3  # MQTT 3.1.1, 2.2.1
_CHUNK = 4096
_CONNECT_S = 5.0
_WAITING = 256  # chunks in transit in one direction; then TCP makes the sender wait
MAX_LOSS_PCT = 90
MAX_DELAY_S = 30.0

_Late = asyncio.Queue[tuple[float, bytes]]


class ImpairedLink:
    """`async with ImpairedLink(host, port) as link`: nodes connect to 127.0.0.1 at `link.port`.

    `loss_pct` and `delay_s` (each way) may be changed at any time. `connections` counts those that
    reached the broker, `breaks` those that loss ended.
    """

    def __init__(self, host: str = "", port: int = 0, seed: int = 0) -> None:
        self.port = 0
        self.connections = 0
        self.breaks = 0
        self.is_cut = False
        self._target = host, port
        self._loss_pct = 0
        self._delay_s = 0.0
        self._rng = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def loss_pct(self) -> int:
        """Per cent, at most 90. Raises SimError when it is set to anything else."""
        return self._loss_pct

    @loss_pct.setter
    def loss_pct(self, value: int) -> None:
        if not 0 <= value <= MAX_LOSS_PCT:
            raise SimError(f"loss must be from 0 to {MAX_LOSS_PCT} per cent, for example 10")
        self._loss_pct = value

    @property
    def delay_s(self) -> float:
        """Seconds, at most 30. Raises SimError when it is set to anything else."""
        return self._delay_s

    @delay_s.setter
    def delay_s(self, value: float) -> None:
        if not 0 <= value <= MAX_DELAY_S:
            raise SimError(f"delay must be from 0 to {MAX_DELAY_S:g} s, for example 0.2")
        self._delay_s = value

    def lead_to(self, host: str, port: int) -> None:
        """Set the broker; call it before the context is entered."""
        self._target = host, port

    def cut(self) -> None:
        """End all connections and accept none until `restore`."""
        self.is_cut = True
        for writer in list(self._writers):
            writer.transport.abort()

    def restore(self) -> None:
        """Accept connections again."""
        self.is_cut = False

    async def __aenter__(self) -> Self:
        """Listen; `port` is open on return."""
        self.port = free_port()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the port, all connections and all tasks."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writers = [writer]
        self._writers.add(writer)
        try:
            if not self.is_cut:
                async with asyncio.timeout(_CONNECT_S):
                    far_reader, far_writer = await asyncio.open_connection(*self._target)
                writers.append(far_writer)
                self._writers.add(far_writer)
                self.connections += 1
                await self._carry((reader, writer), (far_reader, far_writer))
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # the node's connection ends, and no more is needed
        finally:
            for one in writers:
                one.transport.abort()
                self._writers.discard(one)
            self._tasks.discard(task)

    async def _carry(
        self,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        up: _Late = asyncio.Queue(_WAITING)
        down: _Late = asyncio.Queue(_WAITING)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._take(near[0], up, lossy=True))
                ways.create_task(self._take(far[0], down, lossy=False))
                ways.create_task(_give(up, far[1]))
                ways.create_task(_give(down, near[1]))
        except* OSError:
            pass  # one direction failed, which ended the other

    async def _take(self, reader: asyncio.StreamReader, late: _Late, lossy: bool) -> None:
        loop = asyncio.get_running_loop()
        while data := await reader.read(_CHUNK):
            if lossy and data[0] >> 4 == _PUBLISH and self._rng.random() * 100 < self._loss_pct:
                self.breaks += 1
                raise ConnectionAbortedError
            await late.put((loop.time() + self._delay_s, data))
        await late.put((loop.time() + self._delay_s, b""))


async def _give(late: _Late, writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due_s, data = await late.get()
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        if not data:
            writer.write_eof()
            return
        writer.write(data)
        await writer.drain()
