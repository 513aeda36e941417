# SPDX-License-Identifier: MIT
"""Files: written whole or not at all, and secrets that their owner alone may read."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

from gateway.errors import ConfigError


def write_atomic(path: Path, data: bytes | str, mode: int = 0o600) -> None:
    """Replace the file: after a power cut the old or the new one is there, whole. Raises OSError.

    Text is written as UTF-8. The new file has `mode`, whatever the old one had.
    """
    raw = data.encode() if isinstance(data, str) else data
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        replace_synced(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def create_private(path: Path, data: bytes | str) -> None:
    """A new file of mode 0600, durable on return. Raises FileExistsError, OSError."""
    raw = data.encode() if isinstance(data, str) else data
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except BaseException:
        # Half a key would block the next attempt, and be taken for a key.
        path.unlink(missing_ok=True)
        raise


def private_folder(folder: Path) -> None:
    """Make it, of mode 0700, unless it is there. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def keep_private(path: Path) -> None:
    """Make the file, of mode 0600, or take it away from others who may read it. Raises OSError.

    One that exists is never opened: to close it would end the locks that SQLite holds on it.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)


def replace_synced(source: Path, target: Path) -> None:
    """Move a file that is already on the disk over another, durably. Raises OSError."""
    source.replace(target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the disk: a rename alone may be lost in a power cut (fsync(2))."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems have no such call for folders; their renames are as safe as they get.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def read_private(path: Path, max_bytes: int) -> bytes:
    """At most `max_bytes` of it. Raises OSError, and ConfigError when others may read it."""
    with path.open("rb") as file:
        # Of the open file: what a name stands for may change in between.
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise ConfigError(f"others may read {path}: chmod 600 {path}")
        return file.read(max_bytes)
