# SPDX-License-Identifier: MIT
"""Export: how a command beside a running gateway gets its entry into the audit.

One process writes the store. So the command lays a small file into `data_dir`, the gateway makes an
entry of it and takes the file away when that is committed. Who may write there owns the store.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from gateway.files import write_atomic

FOLDER = "audit.inbox"
_FILE_MOST = 4096
_FILES_MOST = 16
_TEXT_MOST = 200
_LOOK_S = 0.5
_LOG = logging.getLogger(__name__)


class Note(NamedTuple):
    """Who exports which alarm, and why."""

    by: str
    alarm: int
    reason: str


def lay(data_dir: Path, note: Note) -> Path:
    """Write a note whole; its path. Raises OSError."""
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{secrets.token_hex(8)}.json"
    write_atomic(path, json.dumps(note._asdict()))
    return path


def waiting(data_dir: Path) -> list[tuple[Path, Note | None]]:
    """Notes that lie there; None for what is no note."""
    folder = data_dir / FOLDER
    if not folder.is_dir():
        return []
    return [(path, _read(path)) for path in sorted(folder.glob("*.json"))[:_FILES_MOST]]


async def watch(data_dir: Path, record: Callable[[Note], Awaitable[object]]) -> None:
    """Hand notes over as they come, and take each away when that is done."""
    while True:
        await asyncio.sleep(_LOOK_S)
        for path, note in waiting(data_dir):
            if note is not None:
                await record(note)
            path.unlink(missing_ok=True)


def _read(path: Path) -> Note | None:
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(_FILE_MOST))
        note = Note(**value)
    except (OSError, ValueError, TypeError, RecursionError):
        _LOG.warning("no note in %s", path.name)
        return None
    texts = all(
        isinstance(each, str) and len(each) <= _TEXT_MOST for each in (note.by, note.reason)
    )
    return note if texts and type(note.alarm) is int and 0 < note.alarm < 1 << 53 else None
