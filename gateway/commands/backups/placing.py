# SPDX-License-Identifier: MIT
"""Backups: move checked files to their targets, all of them or none."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from gateway.files import sync_folder
from gateway.store.sqlite import hold

_LOGS = ("-wal", "-shm")


def place(plan: Mapping[Path, Path], store: Path, config: Path, aside: Path) -> str:
    """`plan` is target -> source, `aside` a new folder for what is replaced. Returns where the
    earlier store is, "" for none. Raises StoreInUse while a gateway runs, OSError; then every file
    is where it was."""
    _make_folders(plan)
    moves: list[tuple[Path, Path]] = []
    with hold(store):
        try:
            kept = _clear(plan, store, config, aside, moves)
            for target in sorted(plan, key=lambda one: one == config):  # gateway.toml comes last
                if target == config:
                    _sync(plan)
                _move(plan[target], target)
                moves.append((plan[target], target))
            sync_folder(config.parent)
        except BaseException:
            for source, target in reversed(moves):
                _move(target, source)
            raise
    return kept


def _clear(
    plan: Mapping[Path, Path],
    store: Path,
    config: Path,
    aside: Path,
    moves: list[tuple[Path, Path]],
) -> str:
    """Move what is replaced, gateway.toml first; each move is noted in `moves`."""
    aside.mkdir(mode=0o700)
    earlier = store.with_name(f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db")
    where = {config: aside / "config", store: earlier}
    logs = {
        store.with_name(store.name + end): earlier.with_name(earlier.name + end) for end in _LOGS
    }
    others = {one: aside / str(n) for n, one in enumerate(plan) if one not in where}
    kept = ""
    for target, place_aside in {**where, **logs, **others}.items():
        if target.exists():
            _move(target, place_aside)
            moves.append((target, place_aside))
            kept = str(earlier) if target == store else kept
    return kept


def _make_folders(plan: Mapping[Path, Path]) -> None:
    for target in plan:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _sync(plan: Mapping[Path, Path]) -> None:
    for folder in {target.parent for target in plan}:
        sync_folder(folder)


def _move(source: Path, target: Path) -> None:
    """A rename, also between two file systems. Raises OSError."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target.with_name(f".{target.name}.moved")
        shutil.copy2(source, beside)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(target)
        source.unlink()
