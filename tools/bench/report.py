# SPDX-License-Identifier: MIT
"""Workbench, bench: the figures as tables; docs/benchmarks.md has a place for each."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from platform import python_version as version

from tools.bench.connections import Held
from tools.bench.ingest import NODES, RATE, Result
from tools.bench.systems import EMBEDDED, FUSING, NAIVE, NODE_RED, OURS
from tools.errors import UserError

_GOALS = {NAIVE.key: 20, NODE_RED.key: 8}


def ingest_table(result: Result) -> str:
    """Rates and ratios."""
    heads = ("system", "durable messages/s", "processor per message", "ours / it", "goal")
    lines = [_row(heads), _row("---" for _ in heads)]
    for system in (OURS, NAIVE, NODE_RED, EMBEDDED, FUSING):
        if system.key not in result.rates:
            continue
        goal = _GOALS.get(system.key)
        lines.append(
            _row(
                (
                    system.label,
                    f"{result.rates[system.key]:,.0f}",
                    f"{result.cpu_us[system.key]:.0f} us",
                    f"{result.ratio(system.key):.1f}" if goal else "-",
                    f">= {goal}" if goal else "-",
                )
            )
        )
    latency = (
        f"Publish to stored at {RATE} messages/s: p50 {result.p50_ms:.2f} ms, "
        f"p99 {result.p99_ms:.2f} ms (goal on a quiet machine: p99 <= 2 ms), "
        f"each node's first message aside. "
        f"{NODES} nodes, medians of {result.runs} interleaved runs. {_machine()}"
    )
    lines += ["", latency]
    return "\n".join(lines)


def connections_table(held: Held) -> str:
    """Time, memory, losses."""
    heads = (
        "nodes",
        "all connected after",
        "connections lost",
        "messages sent / stored",
        "memory before, once all have spoken, at the end",
        "growth",
        "per connection",
    )
    values = (
        f"{held.nodes:,}",
        f"{held.connected_s:.1f} s",
        f"{held.lost}",
        f"{held.sent:,} / {held.stored:,}",
        f"{held.empty_mb:.0f}, {held.early_mb:.0f}, {held.late_mb:.0f} MB",
        f"{held.growth_pct:.1f} %",
        f"{held.kb_per_connection:.1f} kB",
    )
    how = f"Held for {held.seconds:.0f} s by the gateway's own broker on loopback. {_machine()}"
    return "\n".join((_row(heads), _row("---" for _ in heads), _row(values), "", how))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write_into(path: Path, subject: str, table: str) -> None:
    """Between the comments of that subject. Raises UserError where they are not."""
    begin, end = f"<!-- {subject} begin -->\n", f"<!-- {subject} end -->"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    before, found, rest = text.partition(begin)
    _old, closed, after = rest.partition(end)
    if not found or not closed:
        raise UserError(f"{path} has no place for it: {begin.strip()} and {end}")
    path.write_text(f"{before}{begin}{table}\n{end}{after}", encoding="utf-8")


def _machine() -> str:
    """What else the machine did: a reader must know how quiet it was."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, load average {load:.1f} at the end, Python {version()}."
