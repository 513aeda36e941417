# SPDX-License-Identifier: MIT
"""The store in PostgreSQL (docs/adr/0009-postgresql.md): the same statements, another machine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo, errors

from gateway.config.retention import RecordClass
from gateway.errors import RowError, StoreError, StoreInUse
from gateway.store import sql_commit, sql_erase, sql_load
from gateway.store.interface import Expired, LeftOut, LogRow, Snapshot, Writes
from gateway.store.schema import VERSION, in_postgresql, steps_from
from gateway.store.sql_commit import Database, Rows

_CONNECT_S = 5
# One gateway at a time: a lock of the server's, which ends with the connection.
_LOCK = 0x47574154
_LOCK_S = 3
_CURSORS = count(1)  # names of those that the server keeps
_TABLES = (
    "message, detection, alarm, alarm_history, audit, quarantine, journal, log, tick, skipped, "
    "act_key"
)

# What the server and psycopg raise for the values of a row.
_OF_ROWS = (psycopg.DataError, psycopg.IntegrityError, psycopg.NotSupportedError)

_T = TypeVar("_T")


class PostgresqlStore:
    """`url` is as libpq reads it. May be used from any one thread at a time."""

    on_this_machine = False
    warning = ""

    def __init__(self, url: str) -> None:
        self._url = url
        self._db: psycopg.Connection | None = None

    def open(self) -> None:
        """Connect and bring the schema up to date. Raises StoreError."""
        self._guard(lambda _db: None)

    def load(self) -> Snapshot:
        """What was committed before."""
        return self._guard(sql_load.load)

    def commit(self, writes: Writes) -> None:
        """All of it durable when this returns, or StoreError and none of it."""
        self._guard(lambda db: self._commit(db, writes))

    def commit_what_fits(self, writes: Writes) -> list[LeftOut]:
        """The same without the rows that are not accepted, which are returned."""
        return self._guard(lambda db: self._commit_what_fits(db, writes))

    def alarms_since(self, raised_us: int, limit: int) -> list[str]:
        """JSON of the alarms raised since then, newest first."""
        return self._guard(lambda db: sql_commit.alarms_since(db, raised_us, limit))

    def audit_link(self, number: int) -> bytes | None:
        """The chain's value at an entry of the audit; None when there is no such entry."""
        return self._guard(lambda db: sql_load.audit_link(db, number))

    def log_after(self, after_id: int, limit: int) -> list[LogRow]:
        """Entries of the log beyond that number, oldest first."""
        return self._guard(lambda db: sql_commit.log_after(db, after_id, limit))

    def expired(self, cuts: Mapping[RecordClass, int]) -> dict[RecordClass, Expired]:
        """Classes that hold something older than their cut (UTC microseconds), and the portion to
        be erased next; from any thread."""
        with reading(self._url) as db:
            return sql_erase.expired(db, cuts)

    def tidy(self) -> bool:
        """Give back the place of rows that are gone; the server overwrites it in its own time. Over
        a connection of its own: no commit waits."""
        try:
            with _connect(self._url) as db:
                db.execute(f"VACUUM {_TABLES}".encode())
        except psycopg.Error as error:
            raise StoreError(f"store {_name(self._url)}: {_first_line(error)}") from error
        return True

    def close(self) -> None:
        """Let the connection and the lock go; safe to call twice."""
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _commit(self, db: _Connection, writes: Writes) -> None:
        with db.transaction():
            sql_commit.insert(db, writes)
            for table, ids in writes.erase.items():
                sql_erase.erase(db, table, ids)

    def _commit_what_fits(self, db: _Connection, writes: Writes) -> list[LeftOut]:
        with db.transaction():
            left_out = sql_commit.insert_what_fits(db, writes, _is_of_row)
            for table, ids in writes.erase.items():
                sql_erase.erase(db, table, ids)
        return left_out

    def _guard(self, work: Callable[[_Connection], _T]) -> _T:
        try:
            if self._db is None:
                self._db = _connect(self._url)
                self._begin(self._db)
            return work(_Connection(self._db))
        except _OF_ROWS as error:
            self.close()
            raise RowError(f"store {_name(self._url)}: {_first_line(error)}") from error
        except psycopg.Error as error:
            # What a broken connection did is not known: the next try asks on a new one.
            self.close()
            raise StoreError(f"store {_name(self._url)}: {_first_line(error)}") from error
        except StoreError:
            self.close()
            raise

    def _begin(self, db: psycopg.Connection) -> None:
        shared = _Connection(db)
        # A broken connection's lock goes when the server's process for it ends: a moment later.
        shared.run(f"SET lock_timeout = '{_LOCK_S}s'")
        try:
            shared.run("SELECT pg_advisory_lock(?)", (_LOCK,))
        except errors.LockNotAvailable:
            raise StoreInUse(
                f"store {_name(self._url)}: another gateway uses it; stop that one or name another "
                "database"
            ) from None
        shared.run("SET lock_timeout = 0")
        shared.run("SET synchronous_commit = on")
        with db.transaction():
            shared.run("CREATE TABLE IF NOT EXISTS groundwatch_schema (version BIGINT NOT NULL)")
            rows = shared.run("SELECT version FROM groundwatch_schema")
            try:
                steps = steps_from(rows[0][0] if rows else 0)
            except StoreError as error:
                raise StoreError(f"store {_name(self._url)}: {error}") from None
            if steps:
                db.execute(in_postgresql(steps).encode())
                shared.run("DELETE FROM groundwatch_schema")
                shared.run("INSERT INTO groundwatch_schema VALUES (?)", (VERSION,))


class _Connection:
    """A connection as the shared statements want it."""

    def __init__(self, db: psycopg.Connection) -> None:
        self._db = db
        self.transaction = db.transaction

    def run(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        cursor = self._db.execute(_marked(sql), values)
        return cursor.fetchall() if cursor.description else []

    def each(self, sql: str) -> Generator[tuple[Any, ...], None, None]:
        with self._db.cursor(f"rows{next(_CURSORS)}") as cursor:
            yield from cursor.execute(_marked(sql))

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        rows = list(rows)
        if rows:
            self._db.cursor().executemany(_marked(sql), rows)


@contextmanager
def reading(url: str) -> Iterator[Database]:
    """A store to read only, also while a gateway writes it: one moment of it. Raises StoreError."""
    try:
        with _connect(url) as db:
            db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield _Connection(db)
    except psycopg.Error as error:
        raise StoreError(f"store {_name(url)}: {_first_line(error)}") from error


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_S)


def _marked(sql: str) -> bytes:
    return sql.replace("%", "%%").replace("?", "%s").encode()


def _is_of_row(error: Exception) -> bool:
    """Also what Python raises before the server has the row."""
    of_value = (*_OF_ROWS, psycopg.ProgrammingError)  # a type without an adapter
    return isinstance(error, of_value) or not isinstance(error, (psycopg.Error, OSError))


def _name(url: str) -> str:
    """Where it is, without user or password."""
    parts = conninfo.conninfo_to_dict(url)
    return f"{parts.get('dbname', '')} at {parts.get('host', 'the default host')}"


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
