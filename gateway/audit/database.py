# SPDX-License-Identifier: MIT
"""Accountability: the evidence in a SQLite store, opened to be read only, also while in use."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.audit.verify import Evidence
from gateway.errors import StoreError

_AUDIT = (
    "SELECT id, at_us, actor, action, subject, reason, until_us, detail_json, salt, digest, link "
    "FROM audit ORDER BY id"
)
_CHECKPOINT = "SELECT number, link, at_us, key_id, signature FROM checkpoint ORDER BY number"
_HISTORY = "SELECT id, alarm_id, at_us, change, by, value FROM alarm_history ORDER BY id"


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
            yield Evidence(db.execute(_AUDIT), db.execute(_CHECKPOINT), db.execute(_HISTORY))
        finally:
            db.close()
    except sqlite3.Error as error:
        raise StoreError(f"store {path}: {error}") from error
