# SPDX-License-Identifier: MIT
"""The store's write-ahead log goes into the tables in a thread of its own.

By itself SQLite does that in the commit that fills the log, and whatever has come waits for some
hundred pages and two more flushes. A PASSIVE checkpoint beside the writer delays no reader
(https://www.sqlite.org/wal.html, section 3); the commit that fills the log finds little to do then.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from pathlib import Path

_LOG = logging.getLogger(__name__)
COMMITS = 64  # between two: some 450 pages when commits are small, and SQLite waits for 1,000
MAX_WAITING = 16_384  # pages that a reader may hold back before the page shows it


class Checkpoints:
    """Of one store in one file; the thread begins when it is wanted first. `waiting` are the pages
    that the log holds and the tables do not: a program that keeps reading makes it grow."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.waiting = 0
        self._commits = 0
        self._wanted = threading.Event()
        self._over = False
        self._thread: threading.Thread | None = None

    def committed(self) -> None:
        """The writer has made one more commit."""
        self._commits += 1
        if self._commits % COMMITS:
            return
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()
        self._wanted.set()

    def close(self) -> None:
        """The file is let go when this returns."""
        if self._thread is not None:
            self._over = True
            self._wanted.set()
            self._thread.join()

    def _run(self) -> None:
        # What goes wrong here leaves the log as it is: the commit that finds it full reports it.
        with contextlib.suppress(sqlite3.Error), contextlib.closing(self._connect()) as db:
            while True:
                self._wanted.wait()
                self._wanted.clear()
                if self._over:
                    return
                with contextlib.suppress(sqlite3.Error):
                    _busy, pages, done = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                    self._note(pages - done)

    def _note(self, waiting: int) -> None:
        if waiting > MAX_WAITING >= self.waiting:
            _LOG.warning("%s: its log has grown: a program keeps reading the store", self._path)
        self.waiting = waiting

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None, timeout=0)
