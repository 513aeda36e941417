# SPDX-License-Identifier: MIT
"""Board layer, simulated: ground velocity straight into the nodes' detectors.

One minute of computing covers days of ground. numpy computes the samples of a node, and its
detector runs alone in a MicroPython process: the same code on the same integers as in the whole
firmware, without driver, ledger, link, radio, resets and flash. It supports only the Pico W's
front end. `sim_hardware.virtual` simulates everything.
"""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import signal as dsp

from sim_hardware.errors import SimError
from sim_hardware.frontend import NM_S_PER_COUNT_X256, GeophoneArray
from sim_hardware.sandbox import SHIMS, node_seed
from sim_hardware.signals import (
    FEED_FS_HZ,
    FArray,
    quantized,
    quiet_floor,
    quiet_ground,
    to_feed,
)
from sim_hardware.site import NodeSpec
from sim_hardware.take import Take
from sim_hardware.virtual import Pace

FIRMWARE = SHIMS.parent.parent / "firmware"
MODEL = FIRMWARE / "ugs" / "model.bin"
FEATURES = 86  # bytes a hop, as ugs.detect.features has them
_BLOCK = 32
_CHUNK_BLOCKS = 32
_CHUNK = _BLOCK * _CHUNK_BLOCKS
_BLOCK_MS = 128
_EDGES_MAX = 2048
_UPTIME_MS_MAX = 2**31 - 1  # 24.8 days: uptime travels as int32
_OVERLAP = 40  # samples at twice the rate: the resampling filter reaches 20 to each side


@dataclass(frozen=True)
class Report:
    """One report of a node's detector. Times in ms of its uptime; numbers as on the wire."""

    node: str
    phase: int
    onset_ms: int
    class_id: int
    confidence_pct: int
    peak_um_s_x100: int
    cadence_hz_x20: int
    pir_count: int
    elapsed_s_x10: int
    reported_ms: int


@dataclass(frozen=True)
class Footfalls:
    """One message of ugs.arrivals: footfalls as (uptime in ms, level in 10 nm/s)."""

    onset_ms: int
    reported_ms: int
    footfalls: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class DetectorOutput:
    """Everything that the detector of one node reported."""

    reports: list[Report]
    footfalls: list[Footfalls]


class Halver:
    """Converts 500 Hz to the feed's 250 Hz in pieces; the integers equal those of `to_feed`."""

    def __init__(self) -> None:
        self._held = np.zeros(0, np.float64)
        self._lead = 0  # held samples before the first one without output

    def push(
        self, velocity_m_s: FArray | NDArray[np.float64], *, last: bool = False
    ) -> NDArray[np.int32]:
        """Return the feed samples in nm/s that are complete; `last` returns the rest."""
        nm_s = np.asarray(velocity_m_s, np.float64) * 1e9
        held = np.concatenate([self._held, nm_s])
        settled = held.size if last else (held.size - _OVERLAP) // 2 * 2
        if settled <= self._lead:
            self._held = held
            return np.zeros(0, np.int32)
        out = dsp.resample_poly(held, 1, 2)[self._lead // 2 : -(-settled // 2)]
        keep = max(0, settled - _OVERLAP)
        self._held, self._lead = held[keep:], settled - keep
        return quantized(out)


class FastNode:
    """One detector in its process. `feed` ground at FEED_FS_HZ from power-on, then `close`.

    `arguments`: further arguments of run_detector.py.
    """

    def __init__(
        self, node: NodeSpec, micropython: Path, seed: int, arguments: Sequence[str] = ()
    ) -> None:
        if node.board != "pico_w":
            raise SimError(
                f"node {node.id}: the fast path knows no front end of {node.board}; use replay"
            )
        self.node = node.id
        self._front = GeophoneArray(node_seed(seed, node.id))
        self._is_first = True
        self._counts = np.zeros(0, np.int32)
        self._edges_ms: list[int] = []
        self._level = 0
        self._uptime_ms = 0
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the process
        script = [str(SHIMS / "run_detector.py"), str(NM_S_PER_COUNT_X256), str(MODEL), *arguments]
        self._process = subprocess.Popen(
            [str(micropython), *script],
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={"MICROPYPATH": f"{FIRMWARE}:.frozen", "PATH": os.environ.get("PATH", os.defpath)},
        )

    def feed(self, nm_s: NDArray[np.int32], edges_ms: Sequence[int]) -> None:
        """Feed ground as int32 (n,) nm/s, and the PIR edges up to its end in ms of uptime."""
        if self._is_first and nm_s.size:
            nm_s = nm_s[1:]  # the timer's first reading comes one period after power-on
            self._is_first = False
        self._counts = np.concatenate([self._counts, self._front.counts(nm_s)])
        self._edges_ms.extend(edges_ms)
        whole = self._counts.size // _CHUNK * _CHUNK
        for start in range(0, whole, _CHUNK):
            self._send(self._counts[start : start + _CHUNK])
        self._counts = self._counts[whole:]

    def _send(self, counts: NDArray[np.int32]) -> None:
        blocks = counts.size // _BLOCK
        end_ms = self._uptime_ms + blocks * _BLOCK_MS
        if end_ms > _UPTIME_MS_MAX:
            raise SimError(f"node {self.node}: the fast path counts up to 24 days")
        due = [t_ms for t_ms in self._edges_ms if t_ms <= end_ms][:_EDGES_MAX]
        self._edges_ms = self._edges_ms[len(due) :]
        words = [blocks, len(due), self._uptime_ms]
        for t_ms in due:
            self._level ^= 1
            words += [t_ms, self._level]
        pipe = self._process.stdin
        assert pipe is not None
        try:
            pipe.write(np.array(words, "<i4").tobytes() + counts.astype("<i4").tobytes())
        except BrokenPipeError:
            self._fail()
        self._uptime_ms = end_ms

    def close(self) -> DetectorOutput:
        """End the input and return all reports. Raises SimError when the detector failed."""
        output = DetectorOutput([], [])
        for line in self.output().decode().splitlines():
            word, *numbers = line.split()
            if word == "footfalls":
                onset_ms, first_ms, reported_ms, *pairs = map(int, numbers)
                times_ms = [first_ms + late_ms for late_ms in pairs[::2]]
                footfalls = tuple(zip(times_ms, pairs[1::2], strict=True))
                output.footfalls.append(Footfalls(onset_ms, reported_ms, footfalls))
            else:
                output.reports.append(Report(self.node, *map(int, (word, *numbers))))
        return output

    def output(self) -> bytes:
        """End the input and return the output of the process. Raises SimError when it failed."""
        whole = self._counts.size // _BLOCK * _BLOCK
        if whole:
            self._send(self._counts[:whole])
        try:
            self._process.communicate()
        except BrokenPipeError:
            self._fail()
        if self._process.returncode:
            self._fail()
        self._output.seek(0)
        return self._output.read()

    def _fail(self) -> None:
        self.kill()
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").split("\n")
        raise SimError(f"detector of node {self.node} failed: {' | '.join(lines[-4:])}")

    def discard(self) -> None:
        """End the process and delete its output file."""
        self.kill()
        self._output.close()

    def kill(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()


class FastRun:
    """All nodes of a site in parallel. A context manager: it ends every process on exit."""

    _arguments: Sequence[str] = ()

    def __init__(
        self, nodes: Sequence[NodeSpec], micropython: Path, seed: int = 0, pace: Pace | None = None
    ) -> None:
        self._pace = pace or Pace()
        self._seed = seed
        self.nodes: dict[str, FastNode] = {}
        for node in nodes:
            self.nodes[node.id] = FastNode(node, micropython, seed, self._arguments)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for node in self.nodes.values():
            node.discard()

    @property
    def lead_ms(self) -> int:
        """Uptime of every node at the take's start."""
        return round(self._pace.lead_s * 1000)

    def lead(self, name: str, floor_nm_s: float) -> None:
        """Feed quiet ground with this noise floor (rms in 8..60 Hz) before the take."""
        samples = round(self._pace.lead_s * FEED_FS_HZ)
        self.nodes[name].feed(quiet_ground(samples, floor_nm_s, self._seed), [])

    def feed(self, name: str, nm_s: NDArray[np.int32], edges_s: Sequence[float]) -> None:
        """Feed ground of the take at FEED_FS_HZ; `edges_s` in seconds of the take."""
        edges_ms = [(round(t_s * 1e6) + self.lead_ms * 1000) // 1000 for t_s in edges_s]
        self.nodes[name].feed(nm_s, edges_ms)

    def close(self) -> dict[str, DetectorOutput]:
        """Feed still ground after the take, as `virtual` does; return the output of each node."""
        still = np.zeros(round(self._pace.settle_s * FEED_FS_HZ), np.int32)
        for node in self.nodes.values():
            node.feed(still, [])
        return {name: node.close() for name, node in self.nodes.items()}


class FeatureRun(FastRun):
    """A FastRun that returns the features of every hop instead of reports."""

    _arguments = ("features",)

    def features(self) -> dict[str, tuple[NDArray[np.float64], NDArray[np.uint8]]]:
        """By node: uptimes in seconds (n,) and the features of ugs.detect (n, count)."""
        found = {}
        for name, node in self.nodes.items():
            rows = np.frombuffer(node.output(), np.uint8).reshape(-1, 4 + FEATURES)
            t_ms = rows[:, :4].copy().view("<i4")[:, 0]
            found[name] = t_ms / 1000.0, rows[:, 4:]
        return found


def simulate_fast(
    take: Take, *, micropython: Path, seed: int = 0, pace: Pace | None = None
) -> Mapping[str, DetectorOutput]:
    """The detector output of every node for a take: the same reports as `virtual.simulate`."""
    pace = pace or Pace()
    with FastRun(take.nodes, micropython, seed, pace) as run:
        for name, signal in take.signals.items():
            velocity = signal.velocity(pace.ambient_nm_s)
            run.lead(name, 1e9 * quiet_floor(velocity, signal.fs_hz))
            edges = [float(t_s) for t_s in signal.pir_edges_s]
            run.feed(name, to_feed(velocity, signal.fs_hz), edges)
        return run.close()
