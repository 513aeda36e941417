# SPDX-License-Identifier: MIT
"""Workbench, bench: durable messages per second, ours beside the peers', runs interleaved."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from tools.bench import measure
from tools.bench.load.loads import Load, heartbeats, live_crossings
from tools.bench.load.messages import write_messages
from tools.bench.machine import Activity, Watch
from tools.bench.measure import Latency, Throughput, Wanted
from tools.bench.systems import EMBEDDED, FUSING, OURS, PEERS, System, prepare, running
from tools.errors import UserError

NODES = 100
RATE = 1000  # messages/s of the latency runs
LIVE_S = 40  # of walks at the pace at which they happen
_PACED = NODES + 5 * RATE
_MIN_RAISED = 0.9  # of the walks that three nodes detect
_PACED_KEY, _LIVE_KEY = "paced", "live"


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the runs."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values))


@dataclass(slots=True)
class Result:
    """Measurements by the system's key, in order of the runs; why a system has none or fewer."""

    runs: int
    found: dict[str, list[Throughput]] = field(default_factory=lambda: defaultdict(list))
    delays: dict[str, list[Latency]] = field(default_factory=lambda: defaultdict(list))
    backlog_ms: list[float] = field(default_factory=list)  # processor per detection
    live_ms: list[float] = field(default_factory=list)  # the same of walks as they happen
    live_alarms: list[int] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    activity: Activity | None = None

    def rate(self, key: str) -> Spread | None:
        """Messages/s."""
        return _spread(one.per_s for one in self.found.get(key, ()))

    def cpu_us(self, key: str) -> Spread | None:
        """Processor per message."""
        return _spread(one.cpu_us for one in self.found.get(key, ()))

    def load_share(self, key: str) -> Spread | None:
        """Share of one core that the load generator took."""
        return _spread(one.load_share for one in self.found.get(key, ()))

    def ratio(self, ours: str, peer: str) -> float | None:
        """Median rate by median rate."""
        mine, theirs = self.rate(ours), self.rate(peer)
        return mine.median / theirs.median if mine and theirs else None

    def p50_ms(self, key: str) -> Spread | None:
        """Publish to stored."""
        return _spread(one.p50_ms for one in self.delays.get(key, ()))

    def p99_ms(self, key: str) -> Spread | None:
        """Publish to stored."""
        return _spread(one.p99_ms for one in self.delays.get(key, ()))

    @property
    def backlog_detection_ms(self) -> Spread | None:
        """Processor per detection of walks that come as one backlog."""
        return _spread(self.backlog_ms)

    @property
    def detection_ms(self) -> Spread | None:
        """Processor per detection of walks as they happen."""
        return _spread(self.live_ms)

    @property
    def fusing_alarms(self) -> int | None:
        """Raised by them, median."""
        return round(median(self.live_alarms)) if self.live_alarms else None

    @property
    def ours_ran(self) -> bool:
        """Whether both of our rows have every figure of every run."""
        return all(
            len(self.found.get(key, ())) == len(self.delays.get(key, ())) == self.runs
            for key in (OURS.key, EMBEDDED.key)
        )

    def to_json(self) -> dict[str, Any]:
        """Names and meanings never change: other programs read them."""
        mine = self.rate(OURS.key)
        return {
            "type": "summary",
            "durable_msgs_per_s": round(mine.median) if mine else None,
            "ratios": self._ratios(OURS.key),
            "ratios_embedded": self._ratios(EMBEDDED.key),
            "p50_ms": _rounded(self.p50_ms(OURS.key), 2),
            "p99_ms": _rounded(self.p99_ms(OURS.key), 2),
            "p50_ms_embedded": _rounded(self.p50_ms(EMBEDDED.key), 2),
            "p99_ms_embedded": _rounded(self.p99_ms(EMBEDDED.key), 2),
            "rates": {key: round(s.median) for key in self.found if (s := self.rate(key))},
            "cpu_us": {key: round(s.median, 1) for key in self.found if (s := self.cpu_us(key))},
            "fusing_cpu_ms_per_detection": _rounded(self.detection_ms, 2),
            "backlog_cpu_ms_per_detection": _rounded(self.backlog_detection_ms, 2),
            "fusing_alarms": self.fusing_alarms,
            "load_share": {
                key: round(s.median, 2) for key in self.found if (s := self.load_share(key))
            },
            "spread": self._spreads(),
            "failed": self.failed,
            "machine": self.activity.to_json() if self.activity else None,
            "nodes": NODES,
            "runs": self.runs,
        }

    def _ratios(self, ours: str) -> dict[str, float]:
        ratios = {peer.key: self.ratio(ours, peer.key) for peer in PEERS}
        return {key: round(ratio, 1) for key, ratio in ratios.items() if ratio is not None}

    def _spreads(self) -> dict[str, dict[str, list[float]]]:
        figures: Mapping[str, Mapping[str, Spread | None]] = {
            "rates": {key: self.rate(key) for key in self.found},
            "cpu_us": {key: self.cpu_us(key) for key in self.found},
            "p99_ms": {key: self.p99_ms(key) for key in self.delays},
            "fusing_cpu_ms_per_detection": {FUSING.key: self.detection_ms},
            "backlog_cpu_ms_per_detection": {FUSING.key: self.backlog_detection_ms},
        }
        return {
            name: {key: [round(s.low, 2), round(s.high, 2)] for key, s in by_key.items() if s}
            for name, by_key in figures.items()
        }


def _spread(values: Iterable[float]) -> Spread | None:
    known = list(values)
    return Spread.of(known) if known else None


def _rounded(spread: Spread | None, digits: int) -> float | None:
    return round(spread.median, digits) if spread else None


def _per_detection_ms(one: Throughput, load: Load) -> float:
    """All processor of the run by its detections: heartbeats and housekeeping count too."""
    return one.cpu_us * len(load.messages) / load.detections / 1000


def bench(peers: Sequence[System], runs: int, report: Callable[[str], None]) -> Result:
    """Every system once per run, in turn, so that a noisy minute affects all. A system that fails
    is left out of later runs, and the others continue."""
    result = Result(runs)
    with tempfile.TemporaryDirectory(prefix="groundwatch-bench-") as name:
        bench = _Bench(Path(name), result, report)
        for system in (EMBEDDED, OURS, FUSING, *peers):
            bench.attempt(system, partial(bench.prepare, system))
        watch = Watch()
        for run in range(1, runs + 1):
            for system in (EMBEDDED, OURS, FUSING, *peers):
                bench.attempt(system, partial(bench.once, system, run))
        result.activity = watch.activity()
    return result


class _Bench:
    """One session in one folder."""

    def __init__(self, folder: Path, result: Result, report: Callable[[str], None]) -> None:
        self._folder = folder
        self._result = result
        self._report = report
        self._loads: dict[str, Load] = {}

    def attempt(self, system: System, step: Callable[[], None]) -> None:
        """Run a step unless the system failed before; record the reason of a failure."""
        if system.key in self._result.failed:
            return
        try:
            step()
        except Exception as error:
            is_bug = system not in PEERS and not isinstance(error, (UserError, OSError))
            if is_bug:
                raise
            # Whatever a peer does, the figures of the others are kept.
            reason = str(error) or type(error).__name__
            self._result.failed[system.key] = reason
            self._report(f"{system.label}: failed: {reason}")

    def prepare(self, system: System) -> None:
        """Install it and write its loads."""
        prepare(system)
        self._write(system.key, system.load(NODES, system.messages))
        if system is FUSING:
            self._write(_LIVE_KEY, live_crossings(NODES, LIVE_S))
        if _PACED_KEY not in self._loads:
            self._write(_PACED_KEY, heartbeats(NODES, _PACED))

    def _write(self, key: str, load: Load) -> None:
        write_messages(self._folder / key, load.messages)
        self._loads[key] = load

    def once(self, system: System, run: int) -> None:
        """All figures of one system in one run. Raises UserError."""
        one = self._throughput(system, run, system.key, system.speed)
        self._result.found[system.key].append(one)
        self._report(
            f"run {run}: {system.label}: {one.per_s:,.0f}/s, {one.cpu_us:.0f} us each; "
            f"the load took {one.load_share:.0%} of a core"
        )
        if system is FUSING:
            self._result.backlog_ms.append(_per_detection_ms(one, self._loads[system.key]))
            self._live(system, run)
        if system in (OURS, EMBEDDED):
            self._latency(system, run)

    def _throughput(self, system: System, run: int, key: str, speed: float | None) -> Throughput:
        load = self._loads[key]
        wanted = Wanted(len(load.messages), int(_MIN_RAISED * load.walks), speed)
        with running(system, self._folder / f"{run}-{system.key}-{key}", NODES) as it:
            return measure.throughput(it, NODES, self._folder / key, wanted)

    def _live(self, system: System, run: int) -> None:
        """Walks in real time. All processor time counts, housekeeping included, so this is an upper
        bound of the cost of a detection."""
        load = self._loads[_LIVE_KEY]
        one = self._throughput(system, run, _LIVE_KEY, 1)
        self._result.live_ms.append(_per_detection_ms(one, load))
        self._result.live_alarms.append(one.alarms)
        self._report(
            f"run {run}: {load.detections} detections in {LIVE_S} s: {one.alarms} alarms of "
            f"{load.walks} walks, {self._result.live_ms[-1]:.2f} ms of processor per detection"
        )

    def _latency(self, system: System, run: int) -> None:
        with running(system, self._folder / f"{run}-{system.key}-paced", NODES) as it:
            paced = self._folder / _PACED_KEY
            one = measure.latency(it, NODES, paced, RATE, self._folder)
        self._result.delays[system.key].append(one)
        self._report(
            f"run {run}: {system.label}: at {RATE}/s stored after p50 {one.p50_ms:.2f} ms, "
            f"p99 {one.p99_ms:.2f} ms"
        )
