# SPDX-License-Identifier: MIT
"""Reads the images of a bundled node, and changes files in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.updates import package
from tools.image import FIRMWARE, compiled_files, names_of, read_sources, with_names

HEAD_LINES = 4  # of a manifest, before its files
_changed: dict[Path, str] = {}


def files_of(pack: Path) -> dict[str, bytes]:
    """The files of an image by their paths; its signature is not checked."""
    data = pack.read_bytes()
    start = len(package.FIRST) + 68
    end = start + int.from_bytes(data[start - 68 : start - 64], "big")
    files, at = {}, end
    for line in data[start:end].decode().splitlines()[HEAD_LINES:]:
        _digest, size, name = line.split(" ")
        files[name] = data[at : at + int(size)]
        at += int(size)
    assert at == len(data)
    return files


def head_of(pack: Path) -> list[str]:
    """The first lines of an image's manifest: format, board, version, mpy."""
    start = len(package.FIRST) + 68
    return pack.read_bytes()[start:].decode("latin-1").split("\n")[:HEAD_LINES]


def patch(tree: Path, name: str, change: Callable[[str], str], pack: str = "a.fw") -> str:
    """Change the source of one file in an image of the bundle `tree`; return the former one."""
    board, version, mpy = (line.split()[1] for line in head_of(tree / pack)[1:])
    files = files_of(tree / pack)

    def compiled(source: str) -> dict[str, bytes]:
        sources = read_sources(board)
        changed = sources | {name: source.encode()}
        return compiled_files(with_names(changed, names_of(sources)), int(mpy))

    # An image holds no sources: it is that of firmware/, or the result of an earlier change.
    path = name.replace(".py", ".mpy")
    sources = [(FIRMWARE / name).read_text(), _changed.get(tree / pack / name, "")]
    before = next(source for source in sources if compiled(source)[path] == files[path])
    after = change(before)
    assert after != before, f"nothing to change in {name}"
    files[path] = compiled(after)[path]
    (tree / pack).write_bytes(package.unsigned(board, version, int(mpy), files))
    _changed[tree / pack / name] = after
    return before
