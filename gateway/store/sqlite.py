# SPDX-License-Identifier: MIT
"""The store in one SQLite file: WAL, synchronous=FULL: a power cut loses nothing committed."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from gateway.config.retention import RecordClass
from gateway.errors import RowError, StoreError, StoreInUse
from gateway.files import keep_private, private_folder
from gateway.store import sql_commit, sql_erase, sql_load
from gateway.store.checkpoints import MAX_WAITING, Checkpoints
from gateway.store.interface import Expired, LeftOut, LogRow, Snapshot, Writes
from gateway.store.schema import VERSION, steps_from
from gateway.store.sql_commit import Database, Rows

APPLICATION_ID = 0x47574154  # "GWAT": marks our file among SQLite files
PAGE = 4096  # bytes; SQLite's default
_BUSY_MS = 500  # how long a commit waits for another process that holds the file

# What SQLite and its module raise for the values of a row.
_OF_ROWS = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)

_T = TypeVar("_T")


class SqliteStore:
    """One file, or memory when `path` is None. May be used from any one thread at a time."""

    on_this_machine = True

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._checkpoints: Checkpoints | None = None
        self._lock: int | None = None

    @property
    def warning(self) -> str:
        """What an operator must know; empty when there is nothing."""
        waiting = self._checkpoints.waiting if self._checkpoints is not None else 0
        if waiting <= MAX_WAITING:
            return ""
        return (
            f"the store's log has grown to {waiting * PAGE >> 20} MiB: a program keeps reading "
            f"{self._path}; end it"
        )

    def open(self) -> None:
        """Open or create. Raises StoreError when the file is not ours, in use, or unusable."""
        self._guard(self._claim)
        self._guard(self._open)

    def load(self) -> Snapshot:
        """What was committed before."""
        return self._guard(lambda: sql_load.load(self._connection()))

    def commit(self, writes: Writes) -> None:
        """All of it durable when this returns, or StoreError and none of it."""
        self._guard(lambda: self._commit(lambda db: sql_commit.insert(db, writes), writes))

    def commit_what_fits(self, writes: Writes) -> list[LeftOut]:
        """The same without the rows that are not accepted, which are returned."""

        def insert(db: Database) -> list[LeftOut]:
            return sql_commit.insert_what_fits(db, writes, _is_of_row)

        return self._guard(lambda: self._commit(insert, writes))

    def alarms_since(self, raised_us: int, limit: int) -> list[str]:
        """JSON of the alarms raised since then, newest first."""
        return self._guard(lambda: sql_commit.alarms_since(self._connection(), raised_us, limit))

    def audit_link(self, number: int) -> bytes | None:
        """The chain's value at an entry of the audit; None when there is no such entry."""
        return self._guard(lambda: sql_load.audit_link(self._connection(), number))

    def log_after(self, after_id: int, limit: int) -> list[LogRow]:
        """Entries of the log beyond that number, oldest first."""
        return self._guard(lambda: sql_commit.log_after(self._connection(), after_id, limit))

    def expired(self, cuts: Mapping[RecordClass, int]) -> dict[RecordClass, Expired]:
        """Classes that hold something older than their cut (UTC microseconds), and the portion to
        be erased next; from any thread."""
        if self._path is None:
            return self._guard(lambda: sql_erase.expired(self._connection(), cuts))
        with reading(self._path) as db:
            return sql_erase.expired(db, cuts)

    def tidy(self) -> bool:
        """Empty the write-ahead log, which holds old pages; False while a reader is open."""
        return self._guard(self._tidy)

    def _tidy(self) -> bool:
        db = self._open_db()
        # A reader must not delay commits: this is tried again later.
        db.execute("PRAGMA busy_timeout = 0")
        busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        return not busy

    def close(self) -> None:
        """Release the files; safe to call twice."""
        self._disconnect()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _disconnect(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.close()
            self._checkpoints = None
        if self._db is not None:
            self._db.close()
            self._db = None

    def _guard(self, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except _OF_ROWS as error:
            self._forget()  # one of them is also raised for a connection that is closed
            raise RowError(f"store {self._path or 'in memory'}: {error}") from error
        except (sqlite3.Error, OSError) as error:
            # After a failed fsync the state of the file's pages is unknown: close the connection.
            self._forget()
            what = f"store {self._path or 'in memory'}: {error}{if_full(self._path)}"
            if "malformed" in what:
                what += "; `groundwatch gateway salvage` makes a new one of what can be read"
            raise StoreError(what) from error

    def _forget(self) -> None:
        if self._path is None:
            return
        try:
            self._disconnect()
        except sqlite3.Error:
            self._db = None

    def _claim(self) -> None:
        """Refuse a second gateway: it would use the same down counters for other messages."""
        if self._path is None:
            return
        private_folder(self._path.parent)
        self._lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # The kernel releases it when the process ends, for any reason.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise StoreInUse(
                f"store {self._path}: another gateway uses it; stop that one or name another "
                "data_dir"
            ) from None

    def _connection(self) -> _Connection:
        return _Connection(self._open_db())

    def _open_db(self) -> sqlite3.Connection:
        if self._db is None:
            self._open()
        assert self._db is not None
        return self._db

    def _open(self) -> None:
        if self._path is not None:
            private_folder(self._path.parent)
            self._keep_private(self._path)
        self._db = sqlite3.connect(
            self._path or ":memory:",
            isolation_level=None,
            check_same_thread=False,
            timeout=_BUSY_MS / 1000,
        )
        db = self._db
        db.execute("PRAGMA synchronous = FULL")
        # SQLite overwrites erased rows; without this it only marks their space as free.
        db.execute("PRAGMA secure_delete = ON")
        try:
            _bring_up_to_date(db)
        except StoreError as error:
            self._forget()
            raise StoreError(f"store {self._path}: {error}") from None
        if self._path is not None:
            self._checkpoints = Checkpoints(self._path)

    def _keep_private(self, path: Path) -> None:
        """SQLite gives its other files the mode of the first; those of an earlier run stay."""
        try:
            keep_private(path)
            for beside in (path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm")):
                if beside.exists():
                    keep_private(beside)
        except OSError as error:
            raise StoreError(f"store {path}: {error.strerror}") from error

    def _commit(self, insert: Callable[[Database], _T], writes: Writes) -> _T:
        db = self._open_db()
        db.execute("BEGIN IMMEDIATE")
        try:
            shared = _Connection(db)
            inserted = insert(shared)
            for table, ids in writes.erase.items():
                sql_erase.erase(shared, table, ids)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        if self._checkpoints is not None:
            self._checkpoints.committed()
        return inserted


class _Connection:
    """A connection as the shared statements want it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def run(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        return self._db.execute(sql, values).fetchall()

    def each(self, sql: str) -> Generator[tuple[Any, ...], None, None]:
        with closing(self._db.execute(sql)) as cursor:
            yield from cursor

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._db.executemany(sql, rows)


def _is_of_row(error: Exception) -> bool:
    """Also what Python raises before SQLite has the row: an integer too large, half a character."""
    return isinstance(error, _OF_ROWS) or not isinstance(error, (sqlite3.Error, OSError))


def _bring_up_to_date(db: sqlite3.Connection) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    fresh = version == 0 and not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if not fresh and db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreError("not a Groundwatch store; name another data_dir or move the file away")
    steps = steps_from(version)
    db.execute("PRAGMA journal_mode = WAL")
    if steps:
        # One transaction: after a power cut the store has all of it or nothing.
        db.executescript(
            f"BEGIN IMMEDIATE;{steps}PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {VERSION};COMMIT;"
        )


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Keep every gateway out while the file itself is worked on. Raises StoreInUse."""
    keeper = SqliteStore(path)
    keeper._claim()
    try:
        yield
    finally:
        keeper.close()


def if_full(path: Path | None) -> str:
    """To add to an error: SQLite has an I/O error where it can make no file beside the store."""
    try:
        is_full = path is not None and not shutil.disk_usage(path.parent).free
    except OSError:
        return ""
    return "; no space is left on the disk: make room and run this again" if is_full else ""


@contextmanager
def reading(path: Path) -> Iterator[Database]:
    """A store to read only, also while a gateway writes it: one moment of it. Raises StoreError."""
    if not path.is_file():
        raise StoreError(f"there is no store {path}")
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            db.execute("BEGIN")
            yield _Connection(db)
        finally:
            db.close()
    except sqlite3.Error as error:
        raise StoreError(f"store {path}: {error}{if_full(path)}") from error
