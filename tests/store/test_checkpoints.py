# SPDX-License-Identifier: MIT
"""The write-ahead log goes into the tables beside the writer, and holds it up no more than need."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.store import checkpoints, sqlite
from gateway.store.interface import MessageRow, Writes
from gateway.store.sqlite import SqliteStore

ROWS = 2 * checkpoints.COMMITS


def commit_rows(store: SqliteStore, first: int, last: int) -> None:
    for number in range(first, last + 1):
        row = MessageRow(number, "n01", 0, 1, number, 1, "health", b"x" * 40)
        store.commit(Writes(messages=[row]))


def waited_until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """What the thread does has no event; a busy machine may take its time."""
    deadline_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def rows_without_log(database: Path) -> int:
    """What stands in the tables themselves."""
    alone = database.with_name("alone.db")
    shutil.copyfile(database, alone)
    with contextlib.closing(sqlite3.connect(alone)) as db:
        try:
            return int(db.execute("SELECT count(*) FROM message").fetchone()[0])
        except sqlite3.DatabaseError:
            return 0  # the schema is in the log still
        finally:
            alone.unlink()


def test_checkpoints_after_many_commits_the_tables_hold_them_without_the_log(
    tmp_path: Path,
) -> None:
    database, before = tmp_path / "groundwatch.db", threading.enumerate()
    store = SqliteStore(database)
    store.open()
    commit_rows(store, 1, ROWS)
    waited_until(lambda: rows_without_log(database) == ROWS)
    log, number = database.with_name("groundwatch.db-wal"), itertools.count(ROWS + 1)

    def starts_again() -> bool:  # as soon as the thread is through
        size = log.stat().st_size
        commit_rows(store, last := next(number), last)
        return log.stat().st_size == size

    waited_until(starts_again)
    store.close()
    left = set(threading.enumerate()) - set(before)
    assert not [one for one in left if one.name == "checkpoints"]
    assert not log.exists()


def test_checkpoints_while_another_process_reads_commits_go_on_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    database = tmp_path / "groundwatch.db"
    store = SqliteStore(database)
    store.open()
    commit_rows(store, 1, 10)
    with contextlib.closing(sqlite3.connect(database)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM message").fetchone() == (10,)
        commit_rows(store, 11, ROWS)
        assert reader.execute("SELECT count(*) FROM message").fetchone() == (10,)
    assert store.load().messages == ROWS
    store.close()
    assert rows_without_log(database) == ROWS


def test_checkpoints_held_back_by_a_reader_are_a_warning_until_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(checkpoints, "MAX_WAITING", 300)
    monkeypatch.setattr(sqlite, "MAX_WAITING", 300)
    database = tmp_path / "groundwatch.db"
    store = SqliteStore(database)
    store.open()
    commit_rows(store, 1, 10)
    numbers = itertools.count(11)

    def warned() -> bool:
        commit_rows(store, last := next(numbers), last)
        return bool(store.warning)

    with contextlib.closing(sqlite3.connect(database)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM message").fetchone()
        assert not store.warning
        waited_until(warned)
        assert "a program keeps reading" in store.warning
        assert caplog.text.count("its log has grown") == 1
    waited_until(lambda: not warned())
    store.close()
