# SPDX-License-Identifier: MIT
"""ESP32: esptool, used as a library, writes MicroPython to its flash and checks it."""

from __future__ import annotations

import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import serial
from esptool.cmds import attach_flash, detect_chip, erase_flash, reset_chip, run_stub, write_flash
from esptool.logger import TemplateLogger, log
from esptool.util import FatalError

from tools.errors import UserError

_BAUD = 460_800
_ROM_BAUD = 115_200
_ATTEMPTS = 3


class _Listener(TemplateLogger):  # type: ignore[misc]  # esptool is not typed throughout
    """Turns esptool's messages into a progress in bytes; nothing reaches the terminal."""

    def __init__(self) -> None:
        self.last = ""
        self._is_set = False
        self._progress: Callable[[int], object] = int
        self._total = self._done = 0

    def listen(self, progress: Callable[[int], None], total: int) -> None:
        """Report to this progress. esptool accepts only one logger per process."""
        self._progress = progress
        self._total = total
        self._done = 0
        if not self._is_set:
            log.set_logger(self)
            self._is_set = True

    def print(self, *args: object, **_options: object) -> None:
        self.last = " ".join(str(arg) for arg in args)[:200]

    def note(self, message: str) -> None:
        self.last = message[:200]

    def warning(self, message: str) -> None:
        self.last = message[:200]

    def error(self, message: str) -> None:
        self.last = message[:200]

    def stage(self, finish: bool = False) -> None:
        """No stages are shown."""

    def set_verbosity(self, verbosity: str) -> None:
        """One verbosity: none."""

    def progress_bar(
        self, cur_iter: int, total_iters: int, prefix: str = "", suffix: str = "", **_more: object
    ) -> None:
        done = self._total * cur_iter // max(total_iters, 1)
        self._progress(max(0, done - self._done))
        self._done = max(done, self._done)


_LISTENER = _Listener()


def install(
    port: str,
    image: Path,
    offset: int,
    chip: str,
    progress: Callable[[int], None],
    erase: bool,
) -> None:
    """Write the image, have the chip compare its MD5, and restart the chip. Raises UserError.

    `erase` first clears the whole flash, for a chip whose file system may be damaged.
    """
    _LISTENER.listen(progress, image.stat().st_size)
    try:
        with detect_chip(port, _ROM_BAUD, connect_attempts=_ATTEMPTS) as rom:
            if rom.CHIP_NAME.replace("-", "") != chip:
                raise UserError(
                    f"the chip on {port} is an {rom.CHIP_NAME}, the image is for {chip}"
                )
            loader = run_stub(rom)
            with suppress(FatalError):  # a line that stays at its first speed is only slower
                loader.change_baud(_BAUD)
            attach_flash(loader)
            if erase:
                erase_flash(loader)
            write_flash(loader, [(offset, str(image))], flash_size="detect")
            reset_chip(loader, "hard-reset")
    except (FatalError, OSError, serial.SerialException, termios.error) as error:
        raise UserError(
            f"esptool on {port}: {_line(error)}; hold BOOT while plugging the board in, and run "
            "this again"
        ) from None


def chip_of(port: str) -> str:
    """The chip whose boot loader answers on this port, as tools/boards.py names it; "" for none.

    The chip starts again afterwards.
    """
    _LISTENER.listen(lambda _size: None, 0)
    try:
        with detect_chip(port, _ROM_BAUD, connect_attempts=1) as rom:
            name = str(rom.CHIP_NAME).replace("-", "")
            reset_chip(rom, "hard-reset")
            return name
    except (FatalError, OSError, serial.SerialException, termios.error):
        return ""


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
