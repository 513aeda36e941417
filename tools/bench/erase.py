# SPDX-License-Identifier: MIT
"""Workbench, bench: how long commits take while records past their retention are erased.

A store of many heartbeats, half of them too old, in a real file. Every commit holds what 20 nodes
send at a time, first without erasing and then with a portion to erase in each. Looking for records
runs in a thread of its own, as in the gateway.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.config.retention import DAY_US, Retention
from gateway.store.interface import MessageRow, Writes
from gateway.store.sqlite import SqliteStore

_NODES = 200
_PER_COMMIT = 20
_EVERY_S = 0.05
_BATCH = 20_000
_NOW_US = 1_790_000_000_000_000 // DAY_US * DAY_US
_PAYLOAD = bytes(range(34))  # as long as a heartbeat


@dataclass(frozen=True, slots=True)
class Times:
    """Of commits, in milliseconds; `cpu` is processor time, which other work does not change."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_p50_ms: float
    cpu_p99_ms: float


@dataclass(frozen=True, slots=True)
class Erased:
    """`look_ms`: of one search that finds nothing to erase."""

    rows: int
    alone: Times
    erasing: Times
    erased_per_s: float
    look_ms: float

    def to_json(self) -> dict[str, Any]:
        return {"type": "erase", **asdict(self)}


def bench(rows: int, seconds: float, progress: Callable[[str], None]) -> Erased:
    """Raises OSError, StoreError."""
    with tempfile.TemporaryDirectory(prefix="groundwatch-bench-") as folder:
        store = SqliteStore(Path(folder) / "groundwatch.db")
        store.open()
        try:
            progress(f"writing {rows} rows")
            for batch in _batches(rows):
                store.commit(Writes(messages=batch))
            store.tidy()
            return _measured(store, rows, seconds, progress)
        finally:
            store.close()


def _batches(rows: int) -> Iterator[list[MessageRow]]:
    """Heartbeats of 60 days up to now: the older half is past its time."""
    step_us = 60 * DAY_US // rows
    for first in range(1, rows + 1, _BATCH):
        numbers = range(first, min(first + _BATCH, rows + 1))
        yield [_message(number, _NOW_US - (rows - number) * step_us) for number in numbers]


def _message(number: int, at_us: int) -> MessageRow:
    node, turn = number % _NODES, number // _NODES
    counter = (turn // 65_535 + 1, turn % 65_535 + 1)
    return MessageRow(number, f"n{node:03}", 1, *counter, at_us, "health", _PAYLOAD)


def _measured(
    store: SqliteStore, rows: int, seconds: float, progress: Callable[[str], None]
) -> Erased:
    cuts = Retention(messages=30).cuts(_NOW_US)
    progress("commits alone")
    alone, last, _ = _commits(store, rows, seconds, dict)
    progress("commits while records are erased")
    with ThreadPoolExecutor(1) as looks:
        found = looks.submit(store.expired, cuts)

        def portion() -> dict[str, tuple[int, ...]]:
            nonlocal found
            if not found.done():
                return {}
            due = [one.portion for one in found.result().values()]
            found = looks.submit(store.expired, cuts)
            return dict(due[0]) if due else {}

        erasing, _, erased = _commits(store, last, seconds, portion)
    nothing = Retention(messages=366).cuts(_NOW_US)
    started_s = time.perf_counter()
    store.expired(nothing)
    look_ms = 1000 * (time.perf_counter() - started_s)
    return Erased(rows, alone, erasing, round(erased / seconds, 1), round(look_ms, 2))


def _commits(
    store: SqliteStore, last: int, seconds: float, portion: Callable[[], dict[str, tuple[int, ...]]]
) -> tuple[Times, int, int]:
    """(times, newest number, rows erased)"""
    times_ms: list[float] = []
    cpu_ms: list[float] = []
    erased = 0
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        numbers = range(last + 1, last + 1 + _PER_COMMIT)
        writes = Writes(messages=[_message(number, _NOW_US) for number in numbers])
        writes.erase = portion()
        last = numbers[-1]
        erased += sum(map(len, writes.erase.values()))
        started_s, cpu_s = time.perf_counter(), time.thread_time()
        store.commit(writes)
        times_ms.append(1000 * (time.perf_counter() - started_s))
        cpu_ms.append(1000 * (time.thread_time() - cpu_s))
        time.sleep(_EVERY_S)
    return _times(times_ms, cpu_ms), last, erased


def _times(times_ms: list[float], cpu_ms: list[float]) -> Times:
    wall, cpu = (statistics.quantiles(one, n=100, method="inclusive") for one in (times_ms, cpu_ms))
    figures = (wall[49], wall[98], max(times_ms), cpu[49], cpu[98])
    return Times(*(round(one, 2) for one in figures))


def table(found: Erased) -> str:
    """One row for the commits alone, one while records are erased."""
    heads = "commit p50, ms | p99, ms | longest, ms | processor p50, ms | p99, ms | erased per s"
    lines = [f"| {found.rows:,} rows | {heads} |", "| --- " * 7 + "|"]
    for name, times, rate in (
        ("commits alone", found.alone, "-"),
        ("while records are erased", found.erasing, f"{found.erased_per_s:,.0f}"),
    ):
        figures = (times.p50_ms, times.p99_ms, times.max_ms, times.cpu_p50_ms, times.cpu_p99_ms)
        cells = (name, *(f"{figure:.1f}" for figure in figures), rate)
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"A look that finds nothing to erase takes {found.look_ms:.1f} ms in a thread."]
    return "\n".join(lines)
