# SPDX-License-Identifier: MIT
"""The firmware's way onto a board: file by file, by hash, the one that starts it last.

Nothing is remembered on this side. What is on the board, by hash, is how far we are; so the same
command goes on wherever the last one was cut off, and a whole board costs one look.
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
    """Where the bar is drawn; sizes in bytes."""

    def begin(self, what: str, total: int) -> None:
        """A step of so many bytes begins."""

    def advance(self, size: int) -> None:
        """So many more are done."""


@dataclass(frozen=True)
class Work:
    """What is to be done to a board's files."""

    send: tuple[str, ...]
    remove: tuple[str, ...]
    total: int  # bytes to send


def tree_files(tree: Path) -> dict[str, Path]:
    """Every file of a bundle but node.json, by its path on the board."""
    return {
        path.relative_to(tree).as_posix(): path
        for path in sorted(tree.rglob("*"))
        if path.is_file() and path.name != _NODE
    }


def compare(board: Board, wanted: Mapping[str, Path]) -> Work:
    """What the board lacks, and what it has of ours that does not belong there any more."""
    there = board.inventory((*OWNED, HELD))
    if HELD in there:
        there.setdefault(_MAIN, there.pop(HELD))
    send = tuple(differing(wanted, there))
    remove = tuple(sorted(path for path in there if path not in wanted))
    return Work(send, remove, sum(wanted[path].stat().st_size for path in send))


def put_files(board: Board, wanted: Mapping[str, Path], progress: Progress) -> Work:
    """Bring the board's files to the wanted ones, all but the one that starts the node."""
    work = compare(board, wanted)
    for path in work.remove:
        board.remove(path)
    progress.begin("firmware", work.total)
    for path in work.send:
        if path != _MAIN:
            board.send(path, wanted[path].read_bytes(), progress.advance)
    return work


def put_start(board: Board, wanted: Mapping[str, Path]) -> None:
    """Last of all: from now on the board is a node."""
    there = board.inventory((_MAIN, HELD))
    if not differing({HELD: wanted[_MAIN]}, {HELD: there.get(HELD, "")}):
        board.release()
    elif differing({_MAIN: wanted[_MAIN]}, there):
        board.send(_MAIN, wanted[_MAIN].read_bytes())
    board.remove(HELD)
