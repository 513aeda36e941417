# SPDX-License-Identifier: MIT
"""The store: what can still be read of a damaged SQLite file goes into a new one.

Rows are read by their numbers, from both ends and around what cannot be read; indexes are built
again. The damaged file is kept beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.errors import StoreError
from gateway.store.sqlite import SqliteStore

_PORTION = 200
_MAX_LEAP = 1 << 40  # beyond this distance nothing is looked for


def salvage(damaged: Path, fresh: Path) -> dict[str, int]:
    """Rows kept by table. `fresh` must not exist. Raises StoreError when nothing can be read."""
    store = SqliteStore(fresh)
    store.open()
    store.close()
    old = sqlite3.connect(f"{damaged.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    new = sqlite3.connect(fresh, isolation_level=None)
    kept: dict[str, int] = {}
    try:
        there = {row[0] for row in old.execute("SELECT name FROM sqlite_master")}
        new.execute("BEGIN")
        for table in [row[0] for row in new.execute(_TABLES)]:
            if table in there:
                kept[table] = _copy(old, new, table)
        new.execute("COMMIT")
    except sqlite3.Error as error:
        raise StoreError(f"store {damaged}: nothing can be read: {error}") from error
    finally:
        old.close()
        new.close()
    return kept


_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> int:
    columns = [row[1] for row in new.execute(f"PRAGMA table_info({table})")]
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    for rows in _rows(old, table, ", ".join(columns)):
        for row in rows:
            try:
                new.execute(insert, row)
            except sqlite3.OperationalError as error:  # of the new file: a full disk
                raise StoreError(f"cannot write the salvaged store: {error}") from error
            except sqlite3.Error:
                continue  # a row that the damage made into something else
    return int(new.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _rows(db: sqlite3.Connection, table: str, columns: str) -> Iterator[list[tuple[Any, ...]]]:
    """Portions from the first row on, leaping over what cannot be read; then from the last one
    back, for what a leap has passed over."""
    after, leap = -(1 << 62), 1
    while leap < _MAX_LEAP:
        for most in (_PORTION, 1):
            try:
                rows = db.execute(
                    f"SELECT rowid, {columns} FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT ?",
                    (after, most),
                ).fetchall()
                break
            except sqlite3.DatabaseError:
                continue
        else:
            after, leap = max(after, 0) + leap, 2 * leap
            continue
        if not rows:
            break
        after, leap = rows[-1][0], 1
        yield [row[1:] for row in rows]
    try:
        for row in db.execute(f"SELECT {columns} FROM {table} ORDER BY rowid DESC"):
            yield [row]
    except sqlite3.DatabaseError:
        return
