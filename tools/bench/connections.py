# SPDX-License-Identifier: MIT
"""Workbench, bench: many nodes connected to the gateway's own broker, and its memory meanwhile."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.bench.stored import count_rows
from tools.bench.systems import EMBEDDED, running
from tools.errors import UserError

_SPARE_FILES = 200
_SAMPLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Held:
    """Memory is resident, MB: before the first connection, once all have sent, and at the end."""

    nodes: int
    connected_s: float
    lost: int
    seconds: float
    sent: int
    stored: int
    empty_mb: float
    early_mb: float
    late_mb: float

    @property
    def growth_pct(self) -> float:
        """From the first to the last quarter of the time after every node has sent once."""
        return 100 * (self.late_mb / self.early_mb - 1)

    @property
    def kb_per_connection(self) -> float:
        return 1024 * (self.early_mb - self.empty_mb) / self.nodes

    def to_json(self) -> dict[str, Any]:
        return {
            "type": "summary",
            "nodes": self.nodes,
            "connected_s": round(self.connected_s, 1),
            "connections_lost": self.lost,
            "seconds": self.seconds,
            "sent": self.sent,
            "stored": self.stored,
            "memory_mb": {
                "before": round(self.empty_mb, 1),
                "first_quarter": round(self.early_mb, 1),
                "last_quarter": round(self.late_mb, 1),
            },
            "growth_pct": round(self.growth_pct, 2),
            "kb_per_connection": round(self.kb_per_connection, 1),
        }


def hold(nodes: int, seconds: float, every: float, report: Callable[[str], None]) -> Held:
    """Connect the nodes, hold the connections, measure. Raises UserError."""
    _allow_files(nodes + _SPARE_FILES)
    with (
        tempfile.TemporaryDirectory(prefix="groundwatch-bench-") as name,
        running(EMBEDDED, Path(name) / "held", nodes) as system,
    ):
        empty_mb = _memory_mb(system.process.pid)
        words = [sys.executable, "-m", "tools.bench.load.hold", "--port", str(system.port)]
        words += ["--nodes", str(nodes), "--seconds", str(seconds), "--every", str(every)]
        start_s = time.monotonic()
        crowd = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert crowd.stdout is not None
            if crowd.stdout.readline() != "connected\n":
                raise UserError("not all nodes could connect; see above")
            connected_s = time.monotonic() - start_s
            report(f"{nodes} nodes connected after {connected_s:.1f} s")
            memory, alive, sent = [], nodes, 0
            for line in crowd.stdout:
                if line.startswith("sent"):
                    sent = int(line.split()[1])
                    break
                alive = int(line)
                memory.append(_memory_mb(system.process.pid))
                if len(memory) % 10 == 0:
                    report(f"{len(memory)} s: {alive} connected, {memory[-1]:.1f} MB")
            stored = _await_rows(system.database, sent)
        finally:
            crowd.kill()
            crowd.wait()
    # All memory that a node needs is allocated once it has sent: from then on nothing may grow.
    memory = memory[min(int(every), len(memory) - 1) :]
    quarter = max(1, len(memory) // 4)
    return Held(
        nodes=nodes,
        connected_s=connected_s,
        lost=nodes - alive,
        seconds=seconds,
        sent=sent,
        stored=stored,
        empty_mb=empty_mb,
        early_mb=statistics.median(memory[:quarter]),
        late_mb=statistics.median(memory[-quarter:]),
    )


def _await_rows(database: Path, wanted: int) -> int:
    for _ in range(20):
        rows = count_rows(database)
        if rows >= wanted:
            break
        time.sleep(_SAMPLE_S)
    return rows


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise UserError(
            f"{wanted} open files are needed, {hard} are allowed: raise the limit (ulimit -Hn) "
            "or name fewer --nodes"
        )
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _memory_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / (1 << 20)
