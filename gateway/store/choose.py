# SPDX-License-Identifier: MIT
"""The store: which implementation keeps a site's rows, by what the configuration names."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from gateway.store import sqlite
from gateway.store.interface import Store
from gateway.store.sql_commit import Database

_SCHEME = "postgresql:"


def store_at(where: Path | str) -> Store:
    """A SQLite file, or PostgreSQL by its URL; not open yet."""
    if isinstance(where, Path):
        return sqlite.SqliteStore(where)
    # The driver is loaded only when it is used.
    from gateway.store.postgresql import PostgresqlStore

    return PostgresqlStore(where)


def reading(where: Path | str) -> AbstractContextManager[Database]:
    """The same, to read one moment of it."""
    if isinstance(where, Path):
        return sqlite.reading(where)
    from gateway.store import postgresql

    return postgresql.reading(where)


def place(text: str) -> Path | str:
    """What an operator wrote: a URL of PostgreSQL, or the path of a file."""
    return text if text.startswith(_SCHEME) else Path(text)
