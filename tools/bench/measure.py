# SPDX-License-Identifier: MIT
"""Workbench, bench: one run: load on one side, an observer of the stored rows on the other.

Throughput is observed by the times of the store's files, which disturbs nobody: a reader beside a
rollback journal would hold its writer up. Latency reads rows of our store (WAL: readers are free);
a row that another connection sees is committed.
"""

from __future__ import annotations

import array
import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.bench.messages import node_names
from tools.bench.systems import Running
from tools.errors import UserError

_POLL_S = 0.02
_QUIET_S = 1.0  # files untouched for so long: count the rows
_FINE_POLL_S = 0.0001  # well below what it measures
_STALL_S = 20.0


@dataclass(frozen=True, slots=True)
class Latency:
    """From the publish to the row, milliseconds."""

    p50_ms: float
    p99_ms: float


@contextlib.contextmanager
def _load(
    system: Running, nodes: int, messages: Path, *options: str
) -> Iterator[subprocess.Popen[str]]:
    """The load generator, its nodes connected, waiting for a line."""
    words = [sys.executable, "-m", "tools.bench.load", "--port", str(system.port)]
    process = subprocess.Popen(
        [*words, "--nodes", str(nodes), *options, str(messages)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise UserError("the load generator could not connect its nodes; see above")
        yield process
    finally:
        process.kill()
        process.wait()


def _begin(load: subprocess.Popen[str]) -> int:
    assert load.stdin is not None
    assert load.stdout is not None
    load.stdin.write("\n")
    load.stdin.flush()
    return int(load.stdout.readline())


@dataclass(frozen=True, slots=True)
class Throughput:
    """Messages made durable per second, from the first publish to the last row; and what a message
    costs the process that stores it, microseconds of processor: other work hardly changes that."""

    per_s: float
    cpu_us: float


def throughput(system: Running, nodes: int, messages: Path, count: int) -> Throughput:
    """As fast as it goes. Raises UserError when not everything is stored."""
    with _load(system, nodes, messages) as load:
        before_s = _cpu_s(system.process.pid)
        began_ns = _begin(load)
        while True:
            ended_ns = _await_quiet(system.database)
            rows = count_rows(system.database)
            if rows == count:
                spent_s = _cpu_s(system.process.pid) - before_s
                return Throughput(count / ((ended_ns - began_ns) / 1e9), spent_s / count * 1e6)
            if time.monotonic_ns() - ended_ns > _STALL_S * 1e9:
                raise UserError(f"only {rows} of {count} messages were stored")


def _cpu_s(pid: int) -> float:
    """User and system time of all its threads: fields 14 and 15 of proc(5)'s stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _await_quiet(database: Path) -> int:
    """CLOCK_MONOTONIC nanoseconds of the last write to the store, once nothing more is written."""
    while True:
        # A rollback journal comes and goes with every commit; its database file is enough.
        wal = database.with_name(f"{database.name}-wal")
        files = [file for file in (database, wal) if file.exists()]
        touched_ns = max(file.stat().st_mtime_ns for file in files)
        if time.time_ns() - touched_ns > _QUIET_S * 1e9:
            return touched_ns - time.time_ns() + time.monotonic_ns()
        time.sleep(_POLL_S)


def latency(system: Running, nodes: int, messages: Path, rate: int, folder: Path) -> Latency:
    """At `rate` messages/s; each node's first message makes it known and does not count."""
    times = folder / "times"
    options = ("--rate", str(rate), "--times", str(times))
    with (
        _load(system, nodes, messages, *options) as load,
        contextlib.closing(_connect(system.database)) as db,
    ):
        _begin(load)
        stored = _observe(db, load)
    sent = array.array("q", times.read_bytes())
    names = node_names(nodes)
    known = range(nodes, len(sent))
    delays = sorted((stored[names[n % nodes], n // nodes + 1] - sent[n]) / 1e6 for n in known)
    return Latency(delays[len(delays) // 2], delays[len(delays) * 99 // 100])


def _observe(db: sqlite3.Connection, load: subprocess.Popen[str]) -> dict[tuple[str, int], int]:
    """(node, seq) -> CLOCK_MONOTONIC nanoseconds at which its row was seen.

    While messages come only the newest id is asked for: an observer that takes the processor from
    what it observes, or holds its log, measures itself.
    """
    seen: list[tuple[int, int]] = []  # newest id, when
    while load.poll() is None:
        (newest,) = db.execute("SELECT max(id) FROM message").fetchone()
        if newest is not None and (not seen or newest > seen[-1][0]):
            seen.append((newest, time.monotonic_ns()))
        time.sleep(_FINE_POLL_S)
    stored: dict[tuple[str, int], int] = {}
    looks = iter(seen)
    newest, at_ns = 0, 0
    for row, node, seq in db.execute("SELECT id, node, seq FROM message ORDER BY id"):
        while newest < row:
            newest, at_ns = next(looks)
        stored[(node, seq)] = at_ns
    return stored


def _connect(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=2, isolation_level=None)


def count_rows(database: Path) -> int:
    """Messages in a store; -1 while it is locked."""
    with contextlib.closing(_connect(database)) as db:
        try:
            (count,) = db.execute("SELECT count(*) FROM message").fetchone()
        except sqlite3.OperationalError:
            return -1  # locked by its writer, so not at rest yet
        return int(count)
