# SPDX-License-Identifier: MIT
"""MicroPython onto a board: find what is plugged in, and get a prompt on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import serial

from tools.compiled import is_supported
from tools.errors import UserError
from tools.flash import esp, uf2
from tools.flash import ports as places
from tools.flash.board import Board
from tools.flash.boards import MIN_MICROPYTHON, BoardKind, kind_of
from tools.flash.images import Image
from tools.flash.install import Progress
from tools.flash.repl import CableError

_APPEAR_S = 60.0
_TOUCH_BAUD = 1200  # opening a port at this speed asks a board for its boot ROM (TinyUSB, Arduino)
_LOOK_S = 0.1

_T = TypeVar("_T")


@dataclass
class Found:
    """What is plugged in: a board at its prompt, a boot ROM's drive, or a silent port."""

    port: str = ""
    drive: Path | None = None
    board: Board | None = None
    kind: BoardKind | None = None
    chip: str = ""  # of a board without MicroPython, where its boot ROM names it

    @property
    def is_ready(self) -> bool:
        """Whether it runs a MicroPython that the firmware supports."""
        if self.board is None or self.kind is None:
            return False
        facts = self.board.facts
        is_build = self.kind.build in facts.machine
        return is_build and facts.version >= MIN_MICROPYTHON and is_supported(facts.mpy)

    def describe(self) -> str:
        """One line for the installer."""
        if self.drive is not None:
            return f"a boot ROM's drive at {self.drive}" + (f" ({self.chip})" if self.chip else "")
        if self.board is None:
            chip = f"an {self.chip}" if self.chip else "a board"
            return f"{chip} on {self.port} without MicroPython"
        version = ".".join(map(str, self.board.facts.version))
        return f"{self.board.facts.machine} on {self.port}, MicroPython {version}"


def look(port: str | None, drive: Path | None) -> Found:
    """What is plugged in. Raises UserError when there is nothing, or more than one board."""
    drives = [drive] if drive else ([] if port else places.boot_drives())
    if drive and not uf2.is_boot_drive(drive):
        raise UserError(f"{drive} is no boot ROM's drive: it has no {uf2.INFO}")
    if len(drives) > 1:
        raise UserError(f"{len(drives)} boards are in BOOTSEL: name one with --drive")
    if drives:
        return Found(port or "", drives[0], chip=uf2.chip_of(drives[0]))
    try:
        device = places.the_port(port, places.ports())
    except UserError:
        if hint := places.unmounted_drive():
            raise UserError(hint) from None
        raise
    try:
        board = Board(device)
    except CableError as error:
        if not Path(device).exists() or "cannot open" in str(error):
            raise
        return Found(device)
    return Found(device, None, board, kind_of(board.facts.platform, board.facts.machine))


def chip_of(found: Found) -> str:
    """The chip of a board without MicroPython, "" when it is not known. This asks a boot loader on
    the port and disturbs any other device, so it is used only when nothing else names the board."""
    if found.chip or found.board is not None or places.is_raspberry_pi(found.port):
        return found.chip
    return esp.chip_of(found.port)


def install(found: Found, kind: BoardKind, image: Image, progress: Progress, erase: bool) -> Board:
    """Install MicroPython; returns the board at its prompt. Raises UserError."""
    size = image.path.stat().st_size
    if kind.by_drive:
        drive = found.drive or _into_bootloader(found)
        chip = uf2.chip_of(drive)
        if chip not in ("", kind.chip):
            raise UserError(f"this board is an {chip}, and a {kind.name} is an {kind.chip}")
        progress.begin("MicroPython", size)
        uf2.copy(image.path, drive, progress.advance)
        uf2.await_gone(drive, _APPEAR_S)
    else:
        if found.board is not None:
            found.board.close()
        progress.begin("MicroPython", size)
        esp.install(found.port, image.path, kind.flash_offset, kind.chip, progress.advance, erase)
    return await_board(found.port)


def await_board(port: str) -> Board:
    """Wait until the board answers with MicroPython. Raises UserError."""

    def appeared() -> Board | None:
        try:
            return Board(places.the_port(port or None, places.ports()))
        except UserError as error:
            if "boards are plugged in" in str(error):
                raise
            return None

    board = _wait_for(appeared)
    if board is None:
        raise UserError(
            f"no MicroPython prompt came up{f' on {port}' if port else ''}: unplug the board, plug "
            "it in, and run this again"
        )
    return board


def _into_bootloader(found: Found) -> Path:
    """Start the boot ROM and wait for its drive. Raises UserError."""
    before = set(places.boot_drives())
    if found.board is not None:
        found.board.enter_bootloader()
    else:
        _touch(found.port)
    drive = _wait_for(lambda: next(iter(set(places.boot_drives()) - before), None))
    if drive is None:
        raise UserError(
            places.unmounted_drive()
            or "the board's boot ROM did not show its drive: hold BOOTSEL while plugging it in, "
            "and run this again"
        )
    return drive


def _touch(port: str) -> None:
    try:
        serial.Serial(port, _TOUCH_BAUD).close()
    except (OSError, ValueError):
        pass  # it may disappear while it is being closed; the caller waits for the drive


def _wait_for(what: Callable[[], _T | None]) -> _T | None:
    end_s = time.monotonic() + _APPEAR_S
    while (got := what()) is None and time.monotonic() < end_s:
        time.sleep(_LOOK_S)
    return got
