# SPDX-License-Identifier: MIT
"""The store: what can still be read of a damaged SQLite file goes into a new one.

First rows by their numbers, as far as SQLite itself can follow its tables: around what cannot be
read, and past the end of a file that was cut. Then every page by itself: a row whose table cannot
be followed is known by the types of its values. Indexes are built again, and the damaged file is
kept beside it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from gateway.errors import StoreError
from gateway.store.pages import Pages
from gateway.store.sqlite import SqliteStore

_PORTION = 200
_MAX_LEAP = 1 << 40  # beyond this distance nothing is looked for
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_TYPES: dict[str, type] = {"INTEGER": int, "TEXT": str, "BLOB": bytes}


class _Column(NamedTuple):
    name: str
    type: type
    may_be_null: bool
    default: Any
    is_number: bool  # of the row itself


class _Table(NamedTuple):
    name: str
    columns: tuple[_Column, ...]

    @property
    def insert(self) -> str:
        names = ", ".join(column.name for column in self.columns)
        marks = ", ".join("?" * len(self.columns))
        return f"INSERT OR IGNORE INTO {self.name} ({names}) VALUES ({marks})"


def salvage(damaged: Path, fresh: Path) -> dict[str, int]:
    """Rows kept by table. `fresh` must not exist. Raises StoreError when nothing can be read."""
    store = SqliteStore(fresh)
    store.open()
    store.close()
    with closing(sqlite3.connect(fresh, isolation_level=None)) as new:
        tables = [_table(new, name) for (name,) in new.execute(_TABLES).fetchall()]
        new.execute("BEGIN")
        try:
            with suppress(sqlite3.Error), _whole_pages(damaged, fresh) as whole:
                _by_numbers(whole, new, tables)
            _by_pages(damaged, new, tables)
        except OSError as error:
            raise StoreError(f"store {damaged}: {error.strerror}") from error
        kept = {
            table.name: int(new.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0])
            for table in tables
        }
        try:
            new.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"the new store cannot be written: {error}") from error
    if not any(kept.values()):
        raise StoreError(f"store {damaged}: nothing can be read: no row of ours is in it")
    return kept


def _table(db: sqlite3.Connection, name: str) -> _Table:
    rows = db.execute(f"PRAGMA table_info({name})").fetchall()
    columns = (
        _Column(
            column,
            _TYPES[kind],
            not needed and not key,
            None if default is None else int(default),
            bool(key) and kind == "INTEGER",
        )
        for _number, column, kind, needed, default, key in rows
    )
    return _Table(name, tuple(columns))


@contextmanager
def _whole_pages(damaged: Path, fresh: Path) -> Iterator[Path]:
    """The file; where it ends within a page, a copy without that one: SQLite would take what is
    missing for zeros."""
    surplus = damaged.stat().st_size % Pages(damaged).size
    if not surplus:
        yield damaged
        return
    copy = fresh.with_name("cut.db")
    ends = ("", "-wal")
    try:
        for end in ends:
            part = damaged.with_name(damaged.name + end)
            if part.exists():
                shutil.copyfile(part, copy.with_name(copy.name + end))
        os.truncate(copy, damaged.stat().st_size - surplus)
        yield copy
    finally:
        for end in (*ends, "-shm"):
            copy.with_name(copy.name + end).unlink(missing_ok=True)


def _by_numbers(damaged: Path, new: sqlite3.Connection, tables: list[_Table]) -> None:
    where = f"{damaged.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(where, uri=True, isolation_level=None)) as old:
        # A file that is shorter than its first page states is read as far as it goes.
        old.execute("PRAGMA writable_schema = ON")
        there = {row[0] for row in old.execute("SELECT name FROM sqlite_master")}
        for table in tables:
            if table.name not in there:
                continue
            known = {row[1] for row in old.execute(f"PRAGMA table_info({table.name})")}
            columns = (
                each.name if each.name in known else str(each.default) for each in table.columns
            )
            for rows in _rows(old, table.name, ", ".join(columns)):
                for row in rows:
                    _add(new, table, row)


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


def _by_pages(damaged: Path, new: sqlite3.Connection, tables: list[_Table]) -> None:
    """What is there already stays as it is: it was read in the order of the table."""
    for number, values in Pages(damaged).rows():
        for table in tables:
            row = _fitted(table, number, values)
            if row is not None:
                _add(new, table, row)
                break


def _fitted(table: _Table, number: int, values: tuple[Any, ...]) -> list[Any] | None:
    """A row of that table; None where the types are others. No two tables have the same. A row of
    an earlier version has fewer values."""
    if len(values) > len(table.columns):
        return None
    row: list[Any] = []
    for column, value in zip(table.columns, values, strict=False):
        if column.is_number:
            if value is not None:
                return None
            row.append(number)
        elif type(value) is column.type or (value is None and column.may_be_null):
            row.append(value)
        else:
            return None
    for column in table.columns[len(values) :]:
        if column.default is None:
            return None
        row.append(column.default)
    return row


def _add(new: sqlite3.Connection, table: _Table, row: Any) -> None:
    if any(isinstance(value, str) and "\0" in value for value in row):
        return  # no text of ours holds that: a page of it is empty
    try:
        new.execute(table.insert, row)
    except (sqlite3.IntegrityError, sqlite3.DataError):
        return  # a row that the damage made into something else
    except sqlite3.Error as error:
        raise StoreError(f"the new store cannot be written: {error}") from error
