# SPDX-License-Identifier: MIT
"""Workbench, bench: one run: load on one side, an observer of the stored rows on the other.

Throughput is observed by the times of the store's files, which disturbs no writer: a reader of a
database with a rollback journal blocks its writer. Latency and alarms are read from our store (in
WAL mode readers block no writer).
"""

from __future__ import annotations

import array
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.bench import stored
from tools.bench.load.messages import node_names
from tools.bench.systems import Running
from tools.errors import UserError

_POLL_S = 0.02
_QUIET_S = 1.0  # files untouched for so long: count the rows
_STALL_S = 20.0
_WORK_S = 1.0  # processor: an idle system takes less in the time of a stall
_LOOK_S = 0.2


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
    words = [sys.executable, "-m", "tools.bench.load.generator", "--port", str(system.port)]
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


def _start(load: subprocess.Popen[str]) -> int:
    """CLOCK_MONOTONIC nanoseconds of the first publish."""
    assert load.stdin is not None
    load.stdin.write("\n")
    load.stdin.flush()
    return int(_read_line(load))


def _read_line(load: subprocess.Popen[str]) -> str:
    assert load.stdout is not None
    if not (line := load.stdout.readline()):
        raise UserError("the load generator ended before its load; see above")
    return line


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows and alarms at the end of a run, and how its load is sent. `speed` None: each node as
    fast as it can; 0: in order of time as fast as possible; 1: when due."""

    rows: int
    alarms: int = 0
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class Throughput:
    """Messages made durable per second, from the first publish to the last row; what a message
    costs the process that stores it, microseconds of processor: other work hardly changes that;
    the load generator's share of one core meanwhile; and the alarms in the store."""

    per_s: float
    cpu_us: float
    load_share: float = 0.0
    alarms: int = 0


def throughput(system: Running, nodes: int, messages: Path, wanted: Wanted) -> Throughput:
    """Measure at full speed, or at the speed of `wanted`. Raises UserError when a message is not
    stored, or an alarm is not raised."""
    options = () if wanted.speed is None else ("--speed", str(wanted.speed))
    with _load(system, nodes, messages, *options) as load:
        before_s = _cpu_s(system.process.pid)
        start_ns = _start(load)
        load_s = float(_read_line(load))
        moved_ns, worked_s = time.monotonic_ns(), before_s
        while True:
            end_ns = max(start_ns, _await_quiet(system))
            rows = stored.count_rows(system.database)
            alarms = stored.count_alarms(system.database) if wanted.alarms else 0
            if rows == wanted.rows and alarms >= wanted.alarms:
                spent_s = _cpu_s(system.process.pid) - before_s
                elapsed_s = (end_ns - start_ns) / 1e9
                return Throughput(
                    wanted.rows / elapsed_s,
                    spent_s / wanted.rows * 1e6,
                    load_s / elapsed_s,
                    alarms,
                )
            # A system that was slow to start has an old store, and one that works on a large batch
            # writes nothing for long: neither has stalled.
            if (used_s := _cpu_s(system.process.pid)) - worked_s > _WORK_S:
                worked_s, moved_ns = used_s, time.monotonic_ns()
            if time.monotonic_ns() - max(end_ns, moved_ns) > _STALL_S * 1e9:
                if rows != wanted.rows:
                    raise UserError(f"only {rows} of {wanted.rows} messages were stored")
                raise UserError(f"only {alarms} of {wanted.alarms} alarms were raised")
            time.sleep(_LOOK_S)


def _cpu_s(pid: int) -> float:
    """User and system time of all its threads: fields 14 and 15 of proc(5)'s stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _await_quiet(system: Running) -> int:
    """CLOCK_MONOTONIC nanoseconds of the last write to the store, once nothing more is written."""
    database = system.database
    while system.process.poll() is None:
        # A rollback journal comes and goes with every commit; its database file is enough.
        wal = database.with_name(f"{database.name}-wal")
        files = [file for file in (database, wal) if file.exists()]
        touched_ns = max(file.stat().st_mtime_ns for file in files)
        if time.time_ns() - touched_ns > _QUIET_S * 1e9:
            return touched_ns - time.time_ns() + time.monotonic_ns()
        time.sleep(_POLL_S)
    raise UserError(f"it ended with code {system.process.returncode} under the load")


def latency(system: Running, nodes: int, messages: Path, rate: int, folder: Path) -> Latency:
    """At `rate` messages/s; each node's first message makes it known and does not count. Raises
    UserError when a message was not stored within a second of the last publish."""
    times = folder / "times"
    options = ("--rate", str(rate), "--times", str(times))
    with _load(system, nodes, messages, *options) as load:
        _start(load)
        seen_ns = stored.observe(system.database, load)
    sent = array.array("q", times.read_bytes())
    names = node_names(nodes)
    counted = [(names[n % nodes], n // nodes + 1, sent[n]) for n in range(nodes, len(sent))]
    if lost := sum((node, seq) not in seen_ns for node, seq, _ in counted):
        raise UserError(f"{lost} of {len(sent)} messages were not stored at {rate}/s")
    delays = sorted((seen_ns[node, seq] - sent_ns) / 1e6 for node, seq, sent_ns in counted)
    return Latency(delays[len(delays) // 2], delays[len(delays) * 99 // 100])
