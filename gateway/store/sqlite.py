# SPDX-License-Identifier: MIT
"""The store in one SQLite file: WAL, synchronous=FULL: a power cut loses nothing committed."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gateway.errors import StoreError
from gateway.store.interface import (
    COUNT_ALARMS,
    COUNT_DETECTIONS,
    COUNT_HISTORY,
    COUNT_MESSAGES,
    BootRow,
    NodeRow,
    Snapshot,
    Writes,
)
from gateway.store.sqlite_schema import bring_up_to_date

_T = TypeVar("_T")

_UPSERT_BOOT = """
INSERT INTO boot (node, boot, upto, missing, start_us, spread_us, samples, at_us)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (node, boot) DO UPDATE SET upto = excluded.upto,
missing = excluded.missing, start_us = excluded.start_us, spread_us = excluded.spread_us,
samples = excluded.samples, at_us = excluded.at_us"""
_UPSERT_NODE = """
INSERT INTO node (node, window_newest, window_bits, down_reserved, last_seen_us)
VALUES (?, ?, ?, ?, ?) ON CONFLICT (node) DO UPDATE SET window_newest = excluded.window_newest,
window_bits = excluded.window_bits, down_reserved = excluded.down_reserved,
last_seen_us = excluded.last_seen_us"""
_UPSERT_ALARM = """
INSERT INTO alarm (id, kind, key, raised_us, open, value) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET open = excluded.open, value = excluded.value"""
_UPSERT_STATE = """
INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
_UPSERT_REFUSED = """
INSERT INTO refused (reason, node, count) VALUES (?, ?, ?)
ON CONFLICT (reason, node) DO UPDATE SET count = excluded.count"""


class SqliteStore:
    """One file, or memory when `path` is None. May be used from any one thread at a time."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._lock: int | None = None

    def open(self) -> None:
        """Open or create. Raises StoreError when the file is not ours, in use, or unusable."""
        self._guard(self._claim)
        self._guard(self._open)

    def load(self) -> Snapshot:
        """What was committed before."""
        return self._guard(self._load)

    def commit(self, writes: Writes) -> None:
        """All of it durable when this returns, or StoreError and none of it."""
        self._guard(lambda: self._commit(writes))

    def closed_alarms(self, limit: int) -> list[str]:
        """JSON of the newest alarms that are over and acknowledged, newest first."""
        return self._guard(
            lambda: [
                row[0]
                for row in self._open_db().execute(
                    "SELECT value FROM alarm WHERE open = 0 ORDER BY id DESC LIMIT ?", (limit,)
                )
            ]
        )

    def close(self) -> None:
        """Release the files; safe to call twice."""
        self._disconnect()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _disconnect(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _guard(self, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except (sqlite3.Error, OSError) as error:
            # After a failed fsync nothing is known of the file's pages: forget the connection.
            self._forget()
            raise StoreError(f"store {self._path or 'in memory'}: {error}") from error

    def _forget(self) -> None:
        if self._path is None:
            return
        try:
            self._disconnect()
        except sqlite3.Error:
            self._db = None

    def _claim(self) -> None:
        """Keep a second gateway out: it would seal with down counters that are ours."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # Of the kernel: it ends with the process, however that ends.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise StoreError(
                f"store {self._path}: another gateway uses it; stop that one or name another "
                "data_dir"
            ) from None

    def _open_db(self) -> sqlite3.Connection:
        if self._db is None:
            self._open()
        assert self._db is not None
        return self._db

    def _open(self) -> None:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(
            self._path or ":memory:", isolation_level=None, check_same_thread=False, timeout=2.0
        )
        db = self._db
        db.execute("PRAGMA synchronous = FULL")
        try:
            bring_up_to_date(db)
        except StoreError as error:
            self._forget()
            raise StoreError(f"store {self._path}: {error}") from None

    def _load(self) -> Snapshot:
        db = self._open_db()
        boots = [BootRow(*row) for row in db.execute("SELECT * FROM boot ORDER BY node, boot")]
        above = [
            (row.node, row.boot, seq)
            for row in boots
            for (seq,) in db.execute(
                "SELECT seq FROM message WHERE node = ? AND lane = 0 AND boot = ? AND seq > ?",
                (row.node, row.boot, row.upto),
            )
        ]
        state = dict(db.execute("SELECT name, value FROM state"))

        def count(name: str, otherwise: str) -> int:
            # Counting rows is for stores of the first versions, whose rows are all there.
            return int(state[name] if name in state else db.execute(otherwise).fetchone()[0])

        return Snapshot(
            boots=boots,
            nodes=[NodeRow(*row) for row in db.execute("SELECT * FROM node ORDER BY node")],
            above=above,
            state=state,
            open_alarms=[
                row[0] for row in db.execute("SELECT value FROM alarm WHERE open = 1 ORDER BY id")
            ],
            last_alarm_id=count(COUNT_ALARMS, "SELECT coalesce(max(id), 0) FROM alarm"),
            last_history_id=count(COUNT_HISTORY, "SELECT coalesce(max(id), 0) FROM alarm_history"),
            refused=list(db.execute("SELECT reason, node, count FROM refused")),
            messages=count(COUNT_MESSAGES, "SELECT count(*) FROM message"),
            detections=count(
                COUNT_DETECTIONS, "SELECT count(*) FROM detection WHERE phase = 'onset'"
            ),
            audit_head=db.execute("SELECT id, link FROM audit ORDER BY id DESC LIMIT 1").fetchone(),
        )

    def _commit(self, writes: Writes) -> None:
        db = self._open_db()
        db.execute("BEGIN IMMEDIATE")
        try:
            self._insert(db, writes)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _insert(self, db: sqlite3.Connection, writes: Writes) -> None:
        # OR IGNORE: a commit whose outcome is unknown (an error in its fsync) is repeated.
        db.executemany(
            "INSERT OR IGNORE INTO message (node, lane, boot, seq, arrival_us, kind, payload) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            writes.messages,
        )
        db.executemany(
            "INSERT OR IGNORE INTO detection (node, boot, seq, onset_ms, phase, class, "
            "confidence_pct, peak_um_s_x100, onset_us, report_us, uncertainty_us, arrival_us) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            writes.detections,
        )
        db.executemany(_UPSERT_BOOT, writes.boots.values())
        db.executemany(_UPSERT_NODE, writes.nodes.values())
        db.executemany(_UPSERT_STATE, writes.state.items())
        over = [(name,) for name, value in writes.state.items() if not value]
        db.executemany("DELETE FROM state WHERE name = ?", over)
        db.executemany(_UPSERT_ALARM, writes.alarms.values())
        db.executemany(
            "INSERT OR IGNORE INTO alarm_history (id, alarm_id, at_us, change, by, value) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            writes.history,
        )
        db.executemany(
            _UPSERT_REFUSED,
            [(reason, node, count) for (reason, node), count in writes.refused.items()],
        )
        db.executemany(
            "INSERT OR IGNORE INTO audit (id, at_us, actor, action, subject, reason, until_us, "
            "detail_json, salt, digest, link) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            writes.audit,
        )
        db.executemany(
            "INSERT OR IGNORE INTO checkpoint (number, link, at_us, key_id, signature) "
            "VALUES (?, ?, ?, ?, ?)",
            writes.checkpoints,
        )
