# SPDX-License-Identifier: MIT
"""Erasing never holds up what comes in: rows are looked for beside the writer, and go in portions
by their numbers."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.config.retention import DAY_US, RecordClass, Retention
from gateway.store import sql_erase
from gateway.store.interface import (
    AlarmRow,
    DetectionRow,
    HistoryRow,
    LogRow,
    MessageRow,
    Store,
    TickRow,
    Writes,
)
from gateway.store.sqlite import SqliteStore, _Connection
from tests.gateway.bench import Bench
from tests.gateway.played_node import PlayedNode, until
from tests.gateway.test_pipeline import T0

ROWS = 3000
NOW_US = T0 + 4000 * DAY_US
KINDS = ("health", "detection", "snippet", "hello", "condition")


def fill(store: Store) -> None:
    """Old rows of each class, and one young heartbeat."""
    writes = Writes()
    for number in range(1, ROWS + 1):
        kind, at_us = KINDS[number % len(KINDS)], T0 + number
        writes.messages.append(MessageRow(number, "n01", 1, 1, number, at_us, kind, b"x" * 30))
        writes.detections.append(
            DetectionRow(number, "n01", 1, number, 1, "onset", "person", 90, 1, at_us, at_us, 1,
                         at_us)
        )  # fmt: skip
        writes.log.append(LogRow(number, at_us, "Detection", "n01", "{}"))
        writes.ticks.append(TickRow(number, number, at_us, "alarms"))
    for number in range(1, 40):
        writes.alarms[number] = AlarmRow(number, "intrusion", f"e{number}", T0, 0, "{}")
        writes.history.append(HistoryRow(number, number, T0, "raised", "", "{}"))
    writes.messages.append(MessageRow(ROWS + 1, "n01", 1, 2, 1, NOW_US, "health", b"young"))
    store.commit(writes)


def test_erasing_goes_in_small_portions_until_nothing_is_left(store: Store) -> None:
    fill(store)
    cuts = Retention().cuts(NOW_US)
    first = store.expired(cuts)
    assert {kept: (one.rows, one.more) for kept, one in first.items()} == {
        RecordClass.SNIPPETS: (600, False),
        RecordClass.MESSAGES: (1800, False),
        RecordClass.DETECTIONS: (600 + 3 * ROWS, False),
        RecordClass.ALARMS: (39, False),
    }
    commits = 0
    while expired := store.expired(cuts):
        writes = Writes()
        for one in expired.values():
            for table, ids in one.portion.items():
                writes.erase[table] = writes.erase.get(table, ()) + ids
        assert 0 < sum(map(len, writes.erase.values())) <= sql_erase.MAX_ERASED
        store.commit(writes)
        commits += 1
    assert commits < 2 * (ROWS * 4 + 39 * sql_erase.ALARM_ROWS) / sql_erase.MAX_ERASED
    assert store.load().messages == ROWS + 1


def test_erasing_counts_no_more_than_it_needs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_erase, "MAX_COUNTED", 100)
    fill(store)
    found = store.expired(Retention().cuts(NOW_US))[RecordClass.SNIPPETS]
    assert (found.rows, found.more) == (100, True)


@contextmanager
def statements(store: SqliteStore) -> Iterator[list[str]]:
    seen: list[str] = []
    store._open_db().set_trace_callback(seen.append)
    yield seen
    store._open_db().set_trace_callback(None)


def plans(db: sqlite3.Connection, sql: list[str]) -> list[str]:
    return [
        f"{line[3]}: {one}"
        for one in sql
        if one.split()[0] in ("SELECT", "DELETE", "UPDATE")
        for line in db.execute(f"EXPLAIN QUERY PLAN {one}")
    ]


LARGE = ("message", "detection", "log", "tick", "alarm", "audit", "alarm_history", "checkpoint")


def test_erasing_reads_no_large_table_as_a_whole(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "groundwatch.db")
    store.open()
    fill(store)
    cuts = Retention().cuts(NOW_US)
    expired = store.expired(cuts)
    with statements(store) as seen:
        sql_erase.expired(_Connection(store._open_db()), cuts)
        for one in expired.values():
            store.commit(Writes(erase=dict(one.portion)))
        store.commit(Writes(erase={"audit": (1, 2), "alarm": (1,), "message": (5,)}))
    found = plans(store._open_db(), seen)
    assert len(found) > 20
    whole = [line for line in found for table in LARGE if line.startswith(f"SCAN {table}:")]
    assert whole == []
    store.close()


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "groundwatch.db")
    store.open()
    yield store
    store.close()


async def test_erasing_that_looks_for_long_holds_up_no_message(
    tmp_path: Path, file_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, go_on = threading.Event(), threading.Event()
    real = file_store.expired

    def slow(cuts: Any) -> Any:
        looking.set()
        go_on.wait(60)
        return real(cuts)

    monkeypatch.setattr(file_store, "expired", slow)
    bench, node = Bench(tmp_path, file_store), PlayedNode("n01")
    async with bench.running():
        await until(looking.is_set)
        for number in range(3):
            bench.offer(node, node.detection(number))
        try:
            await until(lambda: bench.link.acknowledged == 3)
        finally:
            go_on.set()


def test_erasing_is_looked_for_while_a_commit_is_under_way(file_store: SqliteStore) -> None:
    fill(file_store)
    db = file_store._open_db()
    db.execute("BEGIN IMMEDIATE")
    try:
        assert RecordClass.SNIPPETS in file_store.expired(Retention().cuts(NOW_US))
    finally:
        db.execute("ROLLBACK")


def test_erasing_the_audit_leaves_the_newest_checkpoint_of_what_is_blank(
    file_store: SqliteStore,
) -> None:
    db = file_store._open_db()
    for number in range(1, 31):
        db.execute(
            "INSERT INTO audit VALUES (?, ?, 'a', 'b', 'c', 'd', NULL, '{}', x'00', x'01', x'02')",
            (number, T0 + number if number != 20 else NOW_US),
        )
        if number % 3 == 0:
            db.execute("INSERT INTO checkpoint VALUES (?, x'00', 1, x'00', x'00')", (number,))
    cuts = {RecordClass.AUDIT: NOW_US - DAY_US}
    found = file_store.expired(cuts)[RecordClass.AUDIT]
    # Up to the first young one: a clock was set back for a while.
    assert (found.rows, found.upto) == (19, 19)
    file_store.commit(Writes(erase=dict(found.portion)))
    assert file_store.expired(cuts) == {}
    rows = db.execute("SELECT id FROM audit WHERE at_us IS NULL ORDER BY id").fetchall()
    assert [row[0] for row in rows] == [*range(1, 20)]
    left = [row[0] for row in db.execute("SELECT number FROM checkpoint ORDER BY number")]
    assert left == [18, 21, 24, 27, 30]
