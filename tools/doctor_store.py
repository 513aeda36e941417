# SPDX-License-Identifier: MIT
"""`groundwatch doctor`: the store: is it there, whole, and can its folder be written?"""

from __future__ import annotations

import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

from gateway.audit import head
from gateway.config import GatewayConfig
from gateway.store.choose import reading
from tools.diagnosis import Diagnosis

_MIN_FREE = 1 << 30  # bytes
_FSYNC_MS = 50.0  # of one commit; a gateway of 200 nodes commits a few times a second
_FSYNCS = 15
_CHECK_S = 20.0  # a large store is not read to its end
_OPERATIONS = 1_000_000  # of SQLite between two looks at the clock
_SALVAGE = "stop the gateway, then: groundwatch gateway salvage --by NAME; or restore a backup"


def disk(config: GatewayConfig) -> Diagnosis:
    """Free space for records."""
    free = shutil.disk_usage(_nearest(config.data_dir)).free
    found = f"{free / (1 << 30):.1f} GiB free for {config.data_dir}"
    if free < _MIN_FREE:
        return Diagnosis("disk", "problem", found, "make room, or name another data_dir")
    return Diagnosis("disk", "ok", found)


def fsync(config: GatewayConfig) -> Diagnosis:
    """How long a commit to disk takes: every receipt waits for one."""
    folder, times_ms = _nearest(config.data_dir), []
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            for _ in range(_FSYNCS):
                file.write(bytes(4096))
                file.flush()
                started_s = time.perf_counter()
                os.fsync(file.fileno())
                times_ms.append(1000 * (time.perf_counter() - started_s))
    except OSError as error:
        found = f"{folder} cannot be written: {error.strerror}"
        do = "make room, or give the gateway's user a folder that it may write"
        return Diagnosis("fsync", "problem", found, do)
    found = f"{statistics.median(times_ms):.1f} ms each (median of {_FSYNCS})"
    if statistics.median(times_ms) > _FSYNC_MS:
        do = "put data_dir on a local disk, not a memory card or a network share"
        return Diagnosis("fsync", "warning", found, do)
    return Diagnosis("fsync", "ok", found)


def store(config: GatewayConfig) -> Diagnosis:
    """Whether the rows of the site can be read."""
    where = config.store
    if isinstance(where, Path):
        return _file(where, config.data_dir)
    with reading(where) as db:
        db.run("SELECT 1")
    return Diagnosis("store", "ok", "the database answers")


def _file(path: Path, data_dir: Path) -> Diagnosis:
    if not path.exists():
        if (data_dir / head.NAME).exists():
            found = f"{path} is missing, and {head.NAME} beside it shows that there was one"
            return Diagnosis("store", "problem", found, "restore a backup before the next start")
        return Diagnosis("store", "ok", f"{path} will be made at the first start")
    has_log = path.with_name(path.name + "-wal").exists()
    try:
        whole, pages_size = _check(path)
    except sqlite3.Error as error:
        return Diagnosis("store", "problem", f"{path} is damaged: {error}", _SALVAGE)
    if isinstance(whole, str):
        return Diagnosis("store", "problem", f"{path} is damaged: {whole}", _SALVAGE)
    beyond = path.stat().st_size - pages_size
    if beyond < 0 and not has_log:
        found = f"{path} is damaged: {-beyond} bytes at its end are missing"
        return Diagnosis("store", "problem", found, _SALVAGE)
    if beyond > 0 and not has_log:
        found = f"{path} has {beyond} bytes behind its last page, as a power cut can leave them"
        return Diagnosis("store", "warning", found, "nothing is lost; look at the disk's health")
    read = "every page was read" if whole else f"no damage in {_CHECK_S:.0f} s; not all was read"
    return Diagnosis("store", "ok", f"{pages_size / (1 << 20):.1f} MiB, {read}")


def _check(path: Path) -> tuple[bool | str, int]:
    """(True when it is whole, False when that took too long, what is damaged; bytes of pages)"""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        size = db.execute("PRAGMA page_size").fetchone()[0]
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        until_s = time.monotonic() + _CHECK_S
        db.set_progress_handler(lambda: time.monotonic() > until_s, _OPERATIONS)
        try:
            (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error):
                raise
            return False, size * pages
    return found == "ok" or " ".join(str(found).split()), size * pages


def _nearest(folder: Path) -> Path:
    """The folder, or its nearest parent that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())
