# SPDX-License-Identifier: MIT
"""Accountability: the evidence in a store, opened to be read only, also while in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from gateway.audit.verify import Evidence, Row
from gateway.store.choose import reading
from gateway.store.records import TABLES

_AUDIT = (
    "SELECT id, at_us, actor, action, subject, reason, until_us, detail_json, salt, digest, link "
    "FROM audit ORDER BY id"
)
_CHECKPOINT = "SELECT number, link, at_us, key_id, signature FROM checkpoint ORDER BY number"
_HISTORY = "SELECT id, alarm_id, at_us, change, by, value FROM alarm_history ORDER BY id"
_ALARM = "SELECT id, kind, key, raised_us, open, value FROM alarm ORDER BY id"
_STATE = "SELECT name, value FROM state"
_RECORDS = {
    name: f"SELECT {table.columns} FROM {name} ORDER BY id" for name, table in TABLES.items()
}

_MAGIC = b"SQLite format 3\0"


def is_database(path: Path) -> bool:
    """Whether the file begins as a SQLite database does."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


@contextmanager
def evidence(where: Path | str) -> Iterator[Evidence]:
    """The tables of a file, or of PostgreSQL by its URL, at one moment. Raises StoreError, also
    while rows are read: a broken file is no evidence."""
    with reading(where) as db, ExitStack() as opened:
        state = db.run(_STATE)  # from here on it is one moment

        def rows(sql: str) -> Iterator[Row]:
            return opened.enter_context(closing(db.each(sql)))

        yield Evidence(
            rows(_AUDIT),
            rows(_CHECKPOINT),
            rows(_HISTORY),
            rows(_ALARM),
            {name: rows(sql) for name, sql in _RECORDS.items()},
            state,
        )
