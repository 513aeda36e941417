# SPDX-License-Identifier: MIT
"""Workbench, bench: durable messages per second, ours beside the peers', runs interleaved."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tools.bench import measure
from tools.bench.messages import heartbeats, write_messages
from tools.bench.systems import EMBEDDED, FUSING, OURS, PEERS, System, running

NODES = 100
RATE = 1000  # messages/s of the latency runs
_PACED = NODES + 5 * RATE


@dataclass(frozen=True, slots=True)
class Result:
    """Medians over the runs, by the system's key: messages/s, and microseconds of processor."""

    rates: dict[str, float]
    cpu_us: dict[str, float]
    p50_ms: float
    p99_ms: float
    runs: int

    def ratio(self, peer: str) -> float:
        return self.rates[OURS.key] / self.rates[peer]

    def to_json(self) -> dict[str, Any]:
        return {
            "type": "summary",
            "durable_msgs_per_s": round(self.rates[OURS.key]),
            "ratios": {p.key: round(self.ratio(p.key), 1) for p in PEERS if p.key in self.rates},
            "p50_ms": round(self.p50_ms, 2),
            "p99_ms": round(self.p99_ms, 2),
            "rates": {key: round(rate) for key, rate in self.rates.items()},
            "cpu_us": {key: round(cost, 1) for key, cost in self.cpu_us.items()},
            "nodes": NODES,
            "runs": self.runs,
        }


def bench(peers: Sequence[System], runs: int, tell: Callable[[str], None]) -> Result:
    """Every system once per run, in turn, so that a noisy minute hits all. Raises UserError."""
    found: dict[str, list[measure.Throughput]] = defaultdict(list)
    delays: list[measure.Latency] = []
    systems = (OURS, EMBEDDED, FUSING, *peers)
    with tempfile.TemporaryDirectory(prefix="groundwatch-bench-") as name:
        folder = Path(name)
        paced = folder / "paced.messages"
        write_messages(paced, heartbeats(NODES, _PACED))
        for system in systems:
            write_messages(folder / system.key, system.load(NODES, system.messages))
        for run in range(1, runs + 1):
            for system in systems:
                with running(system, folder / f"{run}-{system.key}", NODES) as it:
                    one = measure.throughput(it, NODES, folder / system.key, system.messages)
                found[system.key].append(one)
                tell(f"run {run}: {system.label}: {one.per_s:,.0f}/s, {one.cpu_us:.0f} us each")
            with running(OURS, folder / f"{run}-paced", NODES) as it:
                delays.append(measure.latency(it, NODES, paced, RATE, folder))
            p50_ms, p99_ms = delays[-1].p50_ms, delays[-1].p99_ms
            tell(f"run {run}: at {RATE}/s stored after p50 {p50_ms:.2f} ms, p99 {p99_ms:.2f} ms")
    return Result(
        rates={key: median(one.per_s for one in all_of) for key, all_of in found.items()},
        cpu_us={key: median(one.cpu_us for one in all_of) for key, all_of in found.items()},
        p50_ms=median(delay.p50_ms for delay in delays),
        p99_ms=median(delay.p99_ms for delay in delays),
        runs=runs,
    )
