# SPDX-License-Identifier: MIT
"""The USB cable, simulated: the drive of the RP2040 boot ROM while BOOTSEL is held.

A folder is the mounted volume. A UF2 file copied into it is read block by block (RP2040 datasheet
2.8.4.1). After the last block the volume disappears and the board starts its new program.
"""

from __future__ import annotations

import shutil
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

_INFO = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"
_BLOCK = 512
_FAMILY = 0xE48BFF56
_FLASH_BASE = 0x10000000
_LOOK_S = 0.01


class Bootsel:
    """`with Bootsel(folder, on_program) as drive:` mounted at `drive.path` until it has a program.

    `on_program` gets the program's bytes from the start of flash; `cut_after` unplugs the cable
    when so many bytes have arrived.
    """

    def __init__(self, folder: Path, on_program: Callable[[bytes], None]) -> None:
        self.path = folder / "RPI-RP2"
        self.cut_after: int | None = None
        self._on_program = on_program
        self._blocks: dict[int, bytes] = {}
        self._pulled = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *_error: object) -> None:
        self.unplug()

    def plug(self) -> None:
        """Plug the cable in while BOOTSEL is held."""
        self._blocks.clear()
        self.path.mkdir()
        (self.path / "INFO_UF2.TXT").write_text(_INFO)
        self._pulled.clear()
        self._thread = threading.Thread(target=self._watch, name="bootsel", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Unplug the cable; the volume is removed on return."""
        self._pulled.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _watch(self) -> None:
        program = b""
        while not self._pulled.wait(_LOOK_S):
            data = b"".join(path.read_bytes() for path in sorted(self.path.glob("*.uf2")))
            if self.cut_after is not None and len(data) >= self.cut_after:
                break
            if program := _program(data):
                break
        shutil.rmtree(self.path)
        if program:
            self._on_program(program)


def _program(data: bytes) -> bytes:
    """The flash content of the blocks; empty until the last one has arrived."""
    flash, wanted, seen = bytearray(), 1, set()
    for at in range(0, len(data) - _BLOCK + 1, _BLOCK):
        head = struct.unpack_from("<8I", data, at)
        address, size, number, wanted, family = *head[3:7], head[7]
        if head[0] != 0x0A324655 or family != _FAMILY or address < _FLASH_BASE or size > 476:
            continue  # the ROM ignores blocks of other families
        start = address - _FLASH_BASE
        if len(flash) < start + size:
            flash.extend(b"\xff" * (start + size - len(flash)))
        flash[start : start + size] = data[at + 32 : at + 32 + size]
        seen.add(number)
    return bytes(flash) if len(seen) == wanted and seen else b""
