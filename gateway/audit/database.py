# SPDX-License-Identifier: MIT
"""Accountability: the evidence in a store, opened to be read only, also while in use."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.audit.verify import Evidence
from gateway.errors import StoreError
from gateway.store.choose import reading

_AUDIT = (
    "SELECT id, at_us, actor, action, subject, reason, until_us, detail_json, salt, digest, link "
    "FROM audit ORDER BY id"
)
_CHECKPOINT = "SELECT number, link, at_us, key_id, signature FROM checkpoint ORDER BY number"
_HISTORY = "SELECT id, alarm_id, at_us, change, by, value FROM alarm_history ORDER BY id"


_MAGIC = b"SQLite format 3\0"


def is_database(path: Path) -> bool:
    """Whether the file begins as a SQLite database does."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


@contextmanager
def evidence_at(where: Path | str) -> Iterator[Evidence]:
    """The same of a file or of PostgreSQL by its URL. Raises StoreError."""
    if isinstance(where, Path):
        with evidence(where) as given:
            yield given
        return
    with reading(where) as db:
        yield Evidence(db.run(_AUDIT), db.run(_CHECKPOINT), db.run(_HISTORY))


@contextmanager
def evidence(path: Path) -> Iterator[Evidence]:
    """Chain, checkpoints and alarm history at one moment. Raises StoreError, also while rows are
    read: a broken file is no evidence."""
    if not path.is_file():
        raise StoreError(f"there is no store {path}; give the gateway's groundwatch.db")
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            db.execute("BEGIN")  # one snapshot for all three tables
            entries, checkpoints, history = map(db.execute, (_AUDIT, _CHECKPOINT, _HISTORY))
            yield Evidence(entries, checkpoints, history)
            for cursor in (entries, checkpoints, history):
                cursor.close()  # one not read to its end would hold the snapshot, and the log file
        finally:
            db.close()
    except sqlite3.Error as error:
        raise StoreError(f"store {path}: {error}") from error
