# SPDX-License-Identifier: MIT
"""Workbench, bench: durable messages per second, ours beside the peers', runs interleaved."""

from __future__ import annotations

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.bench import measure
from tools.bench.messages import backlog, heartbeats, write_messages
from tools.bench.systems import EMBEDDED, OURS, PEERS, System, running

NODES = 100
RATE = 1000  # messages/s of the latency runs
_PACED = 5 * RATE
_BACKLOG = 10_000


@dataclass(frozen=True, slots=True)
class Result:
    """Medians over the runs; `rates` by the system's key, messages/s."""

    rates: dict[str, float]
    backlog_per_s: float
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
            "backlog_msgs_per_s": round(self.backlog_per_s),
            "nodes": NODES,
            "runs": self.runs,
        }


def bench(peers: Sequence[System], runs: int, tell: Callable[[str], None]) -> Result:
    """Every system once per run, in turn, so that a noisy minute hits all. Raises UserError."""
    rates: dict[str, list[float]] = defaultdict(list)
    drained: list[float] = []
    delays: list[measure.Latency] = []
    systems = (OURS, EMBEDDED, *peers)
    with tempfile.TemporaryDirectory(prefix="groundwatch-bench-") as name:
        folder = Path(name)
        beats = {system.key: folder / f"{system.key}.messages" for system in systems}
        for system in systems:
            write_messages(beats[system.key], heartbeats(NODES, system.messages))
        paced, kept = folder / "paced.messages", folder / "backlog.messages"
        write_messages(paced, heartbeats(NODES, _PACED))
        write_messages(kept, backlog(NODES, _BACKLOG))
        for run in range(1, runs + 1):
            for system in systems:
                place = folder / f"{run}-{system.key}"
                with running(system, place, NODES) as it:
                    rate = measure.throughput(it, NODES, beats[system.key], system.messages)
                rates[system.key].append(rate)
                tell(f"run {run}: {system.label}: {rate:,.0f} messages/s")
            with running(OURS, folder / f"{run}-backlog", NODES) as it:
                drained.append(measure.throughput(it, NODES, kept, _BACKLOG))
            tell(f"run {run}: Groundwatch, detections through fusion: {drained[-1]:,.0f}/s")
            with running(OURS, folder / f"{run}-paced", NODES) as it:
                delays.append(measure.latency(it, NODES, paced, RATE, folder))
            tell(
                f"run {run}: publish to stored at {RATE}/s: p50 {delays[-1].p50_ms:.2f} ms, "
                f"p99 {delays[-1].p99_ms:.2f} ms"
            )
    return Result(
        rates={key: statistics.median(values) for key, values in rates.items()},
        backlog_per_s=statistics.median(drained),
        p50_ms=statistics.median(delay.p50_ms for delay in delays),
        p99_ms=statistics.median(delay.p99_ms for delay in delays),
        runs=runs,
    )
