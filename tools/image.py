# SPDX-License-Identifier: MIT
"""Firmware image of a board: the files that an update over the air can change, compiled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from tools.boards import of_port, row_of
from tools.borrow import borrowed, rename
from tools.compiled import compiled
from tools.errors import UserError
from tools.shorten import shorten

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
_SUFFIXES = (".py", ".bin")
# They are also beside the image, compiled separately.
_ROOT_PARTS = ("boards/guard.py", "boards/inplace.py")
_VERSION_FILE = "ugs/version.py"
_VERSION_LINE = re.compile(r'^FIRMWARE = "([^"]*)"$', re.MULTILINE)
# What a node needs to accept an update when both of its images are damaged.
_SAFE_MODE_PARTS = re.compile(
    r"boards/.*|ugs/(wire|link|ledger|drivers|update|remote)/.*"
    r"|ugs/(__init__|base|clock|conditions|config|lines|marking|ratchet|safe_mode)\.mpy"
    r"|ugs/(seldom|tasks|version)\.mpy"
    r"|ugs/dsp/(__init__|decimate|fir)\.mpy"  # of the samplers, which a board makes
)


@dataclass(frozen=True)
class Image:
    """Files by their paths on the node; `mpy` is the MicroPython they are for (tools.compiled)."""

    board: str
    version: str
    mpy: int
    files: Mapping[str, bytes] = field(repr=False)

    def safe_mode(self) -> Image:
        """The part of it that safe mode needs."""
        kept = {name: data for name, data in self.files.items() if _SAFE_MODE_PARTS.fullmatch(name)}
        return Image(self.board, self.version, self.mpy, kept)


def boards() -> list[str]:
    """The names of the boards with firmware."""
    return sorted(path.parent.name for path in (FIRMWARE / "boards").glob("*/board.py"))


def make_image(board: str, mpy: int, version: str = "", firmware: Path = FIRMWARE) -> Image:
    """Compile the firmware in a folder; a `version` replaces the one its source states.

    Raises UserError.
    """
    sources = read_sources(board, firmware)
    text = sources.get(_VERSION_FILE, b"").decode()
    lines = _VERSION_LINE.findall(text)
    if len(lines) != 1:
        raise UserError(f"{firmware / _VERSION_FILE} has no line that states the version")
    if version:
        sources[_VERSION_FILE] = _VERSION_LINE.sub(f'FIRMWARE = "{version}"', text).encode()
    files = compiled_files(with_names(sources, names_of(sources, firmware)), mpy)
    return Image(board, version or lines[0], mpy, files)


def names_of(sources: Mapping[str, bytes], firmware: Path = FIRMWARE) -> dict[str, str]:
    """Names of an image and their replacements (tools.borrow). Raises UserError."""
    parts = (firmware / "frozen" / "main.py", *(firmware / name for name in _ROOT_PARTS))
    beside = [path.read_bytes() for path in (*firmware.glob("*.py"), *parts) if path.is_file()]
    return borrowed(_python(sources), beside)


def with_names(sources: Mapping[str, bytes], names: Mapping[str, str]) -> dict[str, bytes]:
    """Files of an image with these names; data is unchanged."""
    return {**sources, **rename(_python(sources), names)}


def _python(sources: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in sources.items() if name.endswith(".py")}


def compiled_files(sources: Mapping[str, bytes], mpy: int) -> dict[str, bytes]:
    """What a node gets for all of these files by their paths; data is unchanged.

    Raises UserError.
    """
    return dict(_compiled_files(tuple(sorted(sources.items())), mpy))


# Saves half a second for each node of a site: the files are the same.
@lru_cache(maxsize=16)
def _compiled_files(items: tuple[tuple[str, bytes], ...], mpy: int) -> dict[str, bytes]:
    sources = dict(items)
    python = _python(sources)
    files = {name: data for name, data in sources.items() if name not in python}
    for name, source in shorten(python).items():
        stem = name.removesuffix(".py")
        # A traceback names the module; that name is on the heap in any case.
        files[stem + ".mpy"] = compiled(name, source, mpy, stem.replace("/", "."))
    return {name: files[name] for name in sorted(files)}


def read_sources(board: str, firmware: Path = FIRMWARE) -> dict[str, bytes]:
    """boards/ and ugs/ of a firmware folder, but for the other boards, by their paths.

    Raises UserError when there is no such board.
    """
    if board not in boards():
        raise UserError(f"no board {board}; there are {', '.join(boards())}")
    row = row_of(board)
    if row is None:
        raise UserError(f"firmware/boards/{board} has no row in tools/boards.py")
    shared = (firmware / "boards").glob("*.py")
    found = [
        *(path for path in shared if of_port(path.name, row.port)),
        *(firmware / "boards" / board).glob("*.py"),
        *(path for path in (firmware / "ugs").rglob("*") if path.suffix in _SUFFIXES),
    ]
    try:
        return {path.relative_to(firmware).as_posix(): path.read_bytes() for path in sorted(found)}
    except OSError as error:
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from None
