# SPDX-License-Identifier: MIT
"""Firmware files onto a board: compared by hash, main.py last.

No state is kept on this machine: the hashes on the board show what is missing. So the same command
continues where an interrupted one stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.bundle import OWNED
from tools.flash.board import HELD, Board, differing

_MAIN = "main.py"
_NODE = "node.json"


class Progress(Protocol):
    """A progress bar; sizes in bytes."""

    def begin(self, what: str, total: int) -> None:
        """Start a step of so many bytes."""

    def advance(self, size: int) -> None:
        """Add so many bytes."""


@dataclass(frozen=True)
class Work:
    """Changes of a board's files."""

    send: tuple[str, ...]
    remove: tuple[str, ...]
    total: int  # bytes to send


def tree_files(tree: Path) -> dict[str, Path]:
    """Every file of a bundle except node.json, by its path on the board."""
    return {
        path.relative_to(tree).as_posix(): path
        for path in sorted(tree.rglob("*"))
        if path.is_file() and path.name != _NODE
    }


def compare(board: Board, wanted: Mapping[str, Path]) -> Work:
    """The files that the board lacks, and files of earlier firmware to remove."""
    there = board.inventory((*OWNED, HELD))
    if HELD in there:
        there.setdefault(_MAIN, there.pop(HELD))
    send = tuple(differing(wanted, there))
    remove = tuple(sorted(path for path in there if path not in wanted))
    return Work(send, remove, sum(wanted[path].stat().st_size for path in send))


def put_files(board: Board, wanted: Mapping[str, Path], progress: Progress) -> Work:
    """Change the board's files to the wanted ones, except main.py."""
    work = compare(board, wanted)
    for path in work.remove:
        board.remove(path)
    progress.begin("firmware", work.total)
    for path in work.send:
        if path != _MAIN:
            board.send(path, wanted[path].read_bytes(), progress.advance)
    return work


def put_start(board: Board, wanted: Mapping[str, Path]) -> None:
    """Write main.py, which starts the node."""
    there = board.inventory((_MAIN, HELD))
    if not differing({HELD: wanted[_MAIN]}, {HELD: there.get(HELD, "")}):
        board.release()
    elif differing({_MAIN: wanted[_MAIN]}, there):
        board.send(_MAIN, wanted[_MAIN].read_bytes())
    board.remove(HELD)
