# SPDX-License-Identifier: MIT
"""Workbench, bench: the figures as tables for people; docs/benchmarks.md is written by it."""

from __future__ import annotations

from tools.bench.ingest import NODES, RATE, Result
from tools.bench.systems import EMBEDDED, NAIVE, NODE_RED, OURS

_GOALS = {NAIVE.key: 20, NODE_RED.key: 8}


def ingest_table(result: Result) -> str:
    """Rates and ratios."""
    lines = ["| system | durable messages/s | ours / it | goal |", "|---|---|---|---|"]
    for system in (OURS, EMBEDDED, NAIVE, NODE_RED):
        if system.key not in result.rates:
            continue
        goal = _GOALS.get(system.key)
        ratio = f"{result.ratio(system.key):.1f}" if goal else "-"
        lines.append(
            f"| {system.label} | {result.rates[system.key]:,.0f} | {ratio} | "
            f"{f'>= {goal}' if goal else '-'} |"
        )
    fused = f"{result.backlog_per_s:,.0f}"
    lines.append(f"| Groundwatch, detections through fusion and alarms | {fused} | - | - |")
    latency = (
        f"Publish to stored at {RATE} messages/s: p50 {result.p50_ms:.2f} ms, "
        f"p99 {result.p99_ms:.2f} ms (goal on a quiet machine: p99 <= 2 ms). "
        f"{NODES} nodes, medians of {result.runs} interleaved runs."
    )
    lines += ["", latency]
    return "\n".join(lines)


def page(result: Result) -> str:
    """docs/benchmarks.md."""
    return f"# Benchmarks\n\n{ingest_table(result)}\n"
