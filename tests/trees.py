# SPDX-License-Identifier: MIT
"""Looks into the trees of a bundled node, and changes files in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.updates import package


def files_of(pack: Path) -> dict[str, bytes]:
    """The files of a tree by their paths, whoever signed it or nobody."""
    data = pack.read_bytes()
    start = len(package.FIRST) + 68
    end = start + int.from_bytes(data[start - 68 : start - 64], "big")
    files, at = {}, end
    for line in data[start:end].decode().splitlines()[3:]:
        _digest, size, name = line.split(" ")
        files[name] = data[at : at + int(size)]
        at += int(size)
    assert at == len(data)
    return files


def patch(tree: Path, name: str, change: Callable[[str], str], pack: str = "a.fw") -> str:
    """Change one file in a tree of the bundle in `tree`; return what it was."""
    files = files_of(tree / pack)
    before = files[name].decode()
    files[name] = change(before).encode()
    assert files[name] != before.encode(), f"nothing to change in {name}"
    board, version = (tree / pack).read_bytes()[90:].split(b"\n")[1:3]
    words = (board.decode().split()[1], version.decode().split()[1])
    (tree / pack).write_bytes(package.unsigned(*words, files))
    return before
