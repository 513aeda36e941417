# SPDX-License-Identifier: MIT
"""Board layer, simulated: a fleet of nodes in real time, one MicroPython process each.

The nodes use real TCP to the broker that their trees name. A node that resets is started again at
once, and one that crashes after a delay that doubles each time.
"""

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from numpy.typing import NDArray

from sim_hardware.errors import SimError
from sim_hardware.fault_tables import faults_of
from sim_hardware.sandbox import (
    EXIT_END,
    EXIT_RESET,
    EXIT_USAGE,
    Faults,
    Made,
    NodeLog,
    Sandbox,
    check_trees,
    make_sandbox,
)
from sim_hardware.signals import AMBIENT_NM_S, FEED_FS_HZ, to_feed
from sim_hardware.stream import RING, Decimator, EdgeFile, RingFeed
from sim_hardware.take import Take
from sim_hardware.virtual import Pace, Uplink, VirtualRun, run_virtual, simulate

__all__ = [
    "Faults",
    "Fleet",
    "Made",
    "NodeLog",
    "Pace",
    "Uplink",
    "VirtualRun",
    "World",
    "run_virtual",
    "simulate",
]

# How far feeds are written ahead of the nodes' reading; also the longest stall without a gap.
_AHEAD_S = 5.0
_START_S = 0.5  # from entering to sim time 0, so that processes are up when the ground begins
_RESTART_S = 0.3
_BACKOFF_MAX_S = 30.0
_STEADY_S = 30.0  # a node that ran this long is no longer counted as crashing in a row
_STOP_S = 2.0


class Block(Protocol):
    """A stretch of data: per node float32 m/s, and PIR edge times in seconds."""

    @property
    def start_s(self) -> float:
        """Start of the block."""

    @property
    def velocity_m_s(self) -> Mapping[str, NDArray[Any]]:
        """Ground velocity by node."""

    @property
    def pir_edges_s(self) -> Mapping[str, list[float]]:
        """PIR edges by node."""


class World(Protocol):
    """A live source of ground velocity, such as sim_hardware.world.World."""

    @property
    def fs_hz(self) -> int:
        """Samples per second of its blocks."""

    def blocks(self, block_s: float) -> Iterator[Block]:
        """Endless stream of blocks from time 0."""


def _declared(source: Take | World) -> Mapping[str, Faults]:
    """The faults that the truth of a take or a simulated world declares."""
    if isinstance(source, Take):
        return faults_of(source.truth, [node.id for node in source.nodes])
    return getattr(source, "faults", {})


class Fleet:
    """Nodes on a take or in a live world: `async with Fleet(world, trees, ...) as fleet`.

    `restarts` and `crashes` count by node; `logs` holds the printed lines and the detections in
    them; `late_blocks` counts world blocks that were ready too late. `on_line` is called with node
    and line for each printed line. With `in_place` nodes run on the trees themselves, so that the
    next run finds what they wrote to flash.
    """

    def __init__(
        self,
        source: Take | World,
        trees: Mapping[str, Path],
        *,
        micropython: Path,
        seed: int = 0,
        faults: Mapping[str, Faults] | None = None,
        ambient_nm_s: float = AMBIENT_NM_S,
        charges: str = "none",
        in_place: bool = False,
        on_line: Callable[[str, str], None] | None = None,
    ) -> None:
        self.restarts: dict[str, int] = dict.fromkeys(trees, 0)
        self.crashes: dict[str, int] = dict.fromkeys(trees, 0)
        self.logs = {node: NodeLog(node) for node in trees}
        self.late_blocks = 0
        self.t0_utc_s = 0.0
        self._source = source
        self._trees = trees
        self._micropython = micropython
        self._seed = seed
        self._faults = _declared(source) if faults is None else faults
        self._ambient_nm_s = ambient_nm_s
        self._charges = charges
        self._in_place = in_place
        self._on_line = on_line
        self._work: Path | None = None
        self._feeds: dict[str, RingFeed] = {}
        self._edges: dict[str, EdgeFile] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def made(self) -> list[Made]:
        """All detections in the logs so far, by node."""
        return [made for log in self.logs.values() for made in log.made]

    @property
    def made_unkept(self) -> int:
        """Number of detections that the logs only count, because they are full."""
        return sum(log.made_dropped for log in self.logs.values())

    async def __aenter__(self) -> Self:
        """Copy the trees, write the first seconds of ground, start the nodes."""
        if isinstance(self._source, Take):
            check_trees([node.id for node in self._source.nodes], self._trees)
        self._work = Path(tempfile.mkdtemp(prefix="groundwatch-"))
        try:
            sandboxes = [
                make_sandbox(self._work, node, tree, self._micropython, self._in_place)
                for node, tree in self._trees.items()
            ]
            await self._prepare(sandboxes)
        except BaseException:
            await self._clear()
            raise
        for sandbox in sandboxes:
            self._tasks.append(
                asyncio.create_task(self._keep(sandbox), name=f"node {sandbox.node}")
            )
        try:
            await self._all_on()
        except BaseException:
            await self._clear()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the nodes and remove their folders. Raises SimError when a node could not run."""
        failed = self._failure()
        await self._clear()
        if failed is not None and error is None:
            raise failed

    async def wait(self) -> None:
        """Until every node has ended by itself (never in a live world). Raises SimError."""
        nodes = [task for task in self._tasks if task.get_name().startswith("node ")]
        await asyncio.gather(*nodes)

    def kill(self, node: str) -> None:
        """Cut the power of a node; it starts again as after a reset."""
        process = self._processes.get(node)
        if process is not None and process.returncode is None:
            process.kill()

    async def _all_on(self) -> None:
        """Until each node has its process. An event loop that closes before never ends: it cancels
        the task by which asyncio sees the process end."""
        while True:
            if len(self._processes) == len(self._trees) or self._failure() is not None:
                return
            await asyncio.sleep(0.01)

    def _failure(self) -> BaseException | None:
        for task in self._tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                return task.exception()
        return None

    async def _clear(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError, SimError):
                await task
        for feed in self._feeds.values():
            feed.close()
        for edges in self._edges.values():
            edges.close()
        if self._work is not None:
            shutil.rmtree(self._work, ignore_errors=True)

    async def _prepare(self, sandboxes: list[Sandbox]) -> None:
        source = self._source
        if isinstance(source, Take):
            for sandbox in sandboxes:
                await asyncio.to_thread(self._write_take, sandbox, source)
        else:
            for sandbox in sandboxes:
                self._feeds[sandbox.node] = RingFeed(sandbox.feed)
                self._edges[sandbox.node] = EdgeFile(sandbox.pir_edges)
            decimators = {sandbox.node: Decimator(source.fs_hz) for sandbox in sandboxes}
            blocks = source.blocks(1.0)
            while self._written_s() < _AHEAD_S:
                await asyncio.to_thread(self._write_block, next(blocks), decimators)
        self.t0_utc_s = time.time() + _START_S
        for sandbox in sandboxes:
            faults = self._faults.get(sandbox.node, Faults())
            settings = self._settings(sandbox) | {"end_s": faults.dead_from_s}
            sandbox.write_settings(settings, self._seed, faults, self._charges)
        if not isinstance(source, Take):
            growth = self._grow(blocks, decimators)
            self._tasks.append(asyncio.create_task(growth, name="world"))

    def _settings(self, sandbox: Sandbox) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "mode": "real",
            "fs_hz": FEED_FS_HZ,
            "t0_epoch_ms": round(self.t0_utc_s * 1000),
        }
        if isinstance(self._source, Take):
            edges = self._source.signals[sandbox.node].pir_edges_s
            settings["pir_edges_s"] = [float(t_s) for t_s in edges]
        else:
            settings["feed_ring"] = RING
            settings["pir_file"] = str(sandbox.pir_edges)
        return settings

    def _write_take(self, sandbox: Sandbox, take: Take) -> None:
        signal = take.signals[sandbox.node]
        feed = to_feed(signal.velocity(self._ambient_nm_s), signal.fs_hz)
        feed.astype("<i4").tofile(sandbox.feed)

    def _written_s(self) -> float:
        return min(feed.written for feed in self._feeds.values()) / FEED_FS_HZ

    def _write_block(self, block: Block, decimators: Mapping[str, Decimator]) -> None:
        for node, feed in self._feeds.items():
            if node not in block.velocity_m_s:
                raise SimError(f"the world has no node {node}")
            feed.append(decimators[node].feed(block.velocity_m_s[node]))
            self._edges[node].append(block.pir_edges_s.get(node, []))

    async def _grow(self, blocks: Iterator[Block], decimators: Mapping[str, Decimator]) -> None:
        while True:
            ahead_s = self._written_s() - (time.time() - self.t0_utc_s)
            if ahead_s >= _AHEAD_S:
                await asyncio.sleep(ahead_s - _AHEAD_S + 0.05)
                continue
            if ahead_s < 0:
                self.late_blocks += 1
            await asyncio.to_thread(lambda: self._write_block(next(blocks), decimators))

    async def _keep(self, sandbox: Sandbox) -> None:
        in_a_row = 0
        while True:
            started_s = time.monotonic()
            code = await self._run(sandbox)
            if code == EXIT_END:
                return
            if code == EXIT_USAGE:
                raise SimError(
                    f"node {sandbox.node} cannot start: {self.logs[sandbox.node].tail()}"
                )
            self.restarts[sandbox.node] += 1
            if code == EXIT_RESET:
                await asyncio.sleep(_RESTART_S)
                continue
            if code > 0:
                self.crashes[sandbox.node] += 1
            in_a_row = 1 if time.monotonic() - started_s > _STEADY_S else in_a_row + 1
            await asyncio.sleep(min(_BACKOFF_MAX_S, 2.0**in_a_row / 2))

    async def _run(self, sandbox: Sandbox) -> int:
        process = await asyncio.create_subprocess_exec(
            *sandbox.command(),
            cwd=sandbox.tree,
            env=sandbox.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._processes[sandbox.node] = process
        try:
            await self._read_log(process, self.logs[sandbox.node])
            return await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), _STOP_S)
                except TimeoutError:
                    process.kill()
                    await process.wait()

    async def _read_log(self, process: asyncio.subprocess.Process, log: NodeLog) -> None:
        # Lines are split here: a failed node may print without any line end.
        assert process.stdout is not None
        pending = b""
        while data := await process.stdout.read(4096):
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                self._printed(log, line)
            if len(pending) > 4096:
                self._printed(log, pending)
                pending = b""
        if pending:
            self._printed(log, pending)

    def _printed(self, log: NodeLog, raw: bytes) -> None:
        line = raw.decode(errors="replace")
        log.add(line)
        if self._on_line is not None:
            self._on_line(log.node, line)
