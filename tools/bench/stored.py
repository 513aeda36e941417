# SPDX-License-Identifier: MIT
"""Workbench, bench: queries of a store from outside; the bench has no others."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import time
from pathlib import Path

_POLL_S = 0.0001  # well below the latency that it measures


def count_rows(database: Path) -> int:
    """Messages in a store; -1 while it is locked."""
    with contextlib.closing(_connect(database)) as db:
        try:
            (count,) = db.execute("SELECT count(*) FROM message").fetchone()
        except sqlite3.OperationalError:
            return -1  # locked by its writer, so not at rest yet
        return int(count)


def count_alarms(database: Path) -> int:
    """Intrusion alarms that our store has, open or not."""
    with contextlib.closing(_connect(database)) as db:
        found = db.execute("SELECT count(*) FROM alarm WHERE kind = 'intrusion'").fetchone()
        return int(found[0])


def observe(database: Path, load: subprocess.Popen[str]) -> dict[tuple[str, int], int]:
    """(node, seq) -> CLOCK_MONOTONIC nanoseconds at which its row was seen, until the load ends; a
    row that another connection sees is committed.

    While messages come, only the newest id is queried: an observer that uses much processor time,
    or blocks the log, would change the measurement.
    """
    seen: list[tuple[int, int]] = []  # newest id, when
    with contextlib.closing(_connect(database)) as db:
        while load.poll() is None:
            (newest,) = db.execute("SELECT max(id) FROM message").fetchone()
            if newest is not None and (not seen or newest > seen[-1][0]):
                seen.append((newest, time.monotonic_ns()))
            time.sleep(_POLL_S)
        rows = db.execute("SELECT id, node, seq FROM message ORDER BY id").fetchall()
    seen_ns: dict[tuple[str, int], int] = {}
    looks = iter(seen)
    newest, at_ns = 0, 0
    for row, node, seq in rows:
        while newest < row:
            newest, at_ns = next(looks, (row, 0))
        if at_ns:
            seen_ns[(node, seq)] = at_ns
    return seen_ns


def _connect(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=2, isolation_level=None)
