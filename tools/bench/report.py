# SPDX-License-Identifier: MIT
"""Workbench, bench: the figures as tables; docs/benchmarks.md has a place for each."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from platform import python_version as version

from tools import output
from tools.bench.connections import Held
from tools.bench.ingest import LIVE_S, NODES, RATE, Result, Spread
from tools.bench.machine import Activity
from tools.bench.systems import EMBEDDED, FUSING, NAIVE, NODE_RED, OURS
from tools.errors import UserError

_MIN_RATIO = {  # ours, peer
    (EMBEDDED.key, NAIVE.key): 35,
    (EMBEDDED.key, NODE_RED.key): 25,
    (OURS.key, NAIVE.key): 15,
}
_MAX_CPU_US = {EMBEDDED.key: 28}
_MAX_P99_MS = 1.0
_MAX_DETECTION_MS = 2.0
_MAX_LOAD_SHARE = 0.8  # of a core: beyond it the load may be what was measured


def ingest_table(result: Result) -> str:
    """Rates and ratios, median and (lowest - highest) over the runs."""
    heads = (
        "system",
        "durable messages/s",
        "processor per message, us",
        f"times {NAIVE.label}",
        f"times {NODE_RED.label}",
    )
    lines = [_row(heads), _row("---" for _ in heads)]
    lines += [
        _row((system.label, *_figures(result, system.key)))
        for system in (EMBEDDED, OURS, NAIVE, NODE_RED, FUSING)
        if system.key in result.found or system.key in result.failed
    ]
    lines += ["", *(f"{line}  " for line in _latencies(result)), *_fusing(result)]
    lines += ["", _how(result), *_warnings(result)]
    return "\n".join(lines)


def _figures(result: Result, key: str) -> tuple[str, ...]:
    rate, cost = result.rate(key), result.cpu_us(key)
    failure = f"failed: {_cell(result.failed[key])}" if key in result.failed else ""
    if rate is None or cost is None:
        return (failure, "-", "-", "-")
    goal = f", goal <= {_MAX_CPU_US[key]}" if key in _MAX_CPU_US else ""
    return (
        " ".join(filter(None, (_spread(rate, ",.0f"), failure))),
        f"{_spread(cost, '.0f')}{goal}",
        *(_ratio(result, key, peer.key) for peer in (NAIVE, NODE_RED)),
    )


def _ratio(result: Result, ours: str, peer: str) -> str:
    ratio = result.ratio(ours, peer)
    if ratio is None or ours not in (OURS.key, EMBEDDED.key):
        return "-"
    goal = _MIN_RATIO.get((ours, peer))
    return f"{ratio:.1f}" + (f", goal >= {goal}" if goal else "")


def _latencies(result: Result) -> list[str]:
    lines = []
    for system in (EMBEDDED, OURS):
        p50, p99 = result.p50_ms(system.key), result.p99_ms(system.key)
        if p50 is not None and p99 is not None:
            lines.append(
                f"{system.label}: publish to stored at {RATE} messages/s: p50 "
                f"{_spread(p50, '.2f')} ms, p99 {_spread(p99, '.2f')} ms "
                f"(goal <= {_MAX_P99_MS:g} ms), each node's first message aside."
            )
    return lines


def _fusing(result: Result) -> list[str]:
    backlog, live = result.backlog_detection_ms, result.detection_ms
    if backlog is None or live is None:
        return []
    line = (
        "Walks past 3 to 5 nodes each, processor per detection "
        f"(goal <= {_MAX_DETECTION_MS:g} ms): {_spread(backlog, '.2f')} ms as one backlog; "
        f"{_spread(live, '.2f')} ms as they happen ({LIVE_S} s, {result.fusing_alarms} alarms)."
    )
    return [line]


def _how(result: Result) -> str:
    shares = [
        f"{spread.median:.0%} ({system.label})"
        for system in (EMBEDDED, OURS)
        if (spread := result.load_share(system.key)) is not None
    ]
    load = f" The load generator took of one core: {', '.join(shares)}." if shares else ""
    return (
        f"{NODES} nodes; median (lowest - highest) of {result.runs} interleaved runs.{load} "
        f"{_machine(result.activity)}"
    )


def _warnings(result: Result) -> list[str]:
    lines = []
    if result.activity is not None and result.activity.busy:
        lines.append("**The machine was busy with other work: these figures are no measure.**")
    lines += [
        f"**{key}: the load generator was near its limit: the rate may be its own.**"
        for key in result.found
        if (spread := result.load_share(key)) is not None and spread.high > _MAX_LOAD_SHARE
    ]
    return [f"\n{line}" for line in lines]


def _spread(spread: Spread, form: str) -> str:
    if spread.low == spread.high:
        return f"{spread.median:{form}}"
    return f"{spread.median:{form}} ({spread.low:{form}} - {spread.high:{form}})"


def _cell(text: str) -> str:
    """One line that does not end its cell."""
    return " ".join(text.split()).replace("|", "/")


def connections_table(held: Held) -> str:
    """Time, memory, losses."""
    heads = (
        "nodes",
        "all connected after",
        "connections lost",
        "messages sent / stored",
        "memory before, once all have sent, at the end",
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
    """Between the comments of that subject. Raises UserError."""
    output.write(path, written_into(path, subject, table))


def written_into(path: Path, subject: str, table: str) -> str:
    """The file with the table between the comments of that subject. Raises UserError where they
    are not."""
    begin, end = f"<!-- {subject} begin -->\n", f"<!-- {subject} end -->"
    before, found, rest = output.read(path).partition(begin)
    _old, closed, after = rest.partition(end)
    if not found or not closed:
        raise UserError(f"{path} has no place for it: {begin.strip()} and {end}")
    return f"{before}{begin}{table}\n{end}{after}"


def _machine(activity: Activity | None = None) -> str:
    """Cores, and how busy the machine was with other work."""
    if activity is None:
        return (
            f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end, "
            f"Python {version()}."
        )
    return (
        f"{activity.cores} cores, load average {activity.load_before:.1f} before and "
        f"{activity.load_after:.1f} after, other work {activity.other_share:.0%} of the cores, "
        f"Python {version()}."
    )
