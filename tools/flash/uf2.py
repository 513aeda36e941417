# SPDX-License-Identifier: MIT
"""UF2 and the boot ROM's drive: a file copied there is the board's new program.

Format: UF2 specification (blocks of 512 bytes, 256 of payload); drive: RP2040 datasheet 2.8.4.
An image for the RP2350 may begin with one block of the absolute family, which is not written: it
works around an error of the boot ROM (RP2350 datasheet, erratum E10).
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

from tools.errors import UserError

RP2040, RP2350 = 0xE48BFF56, 0xE48BFF59
_ABSOLUTE = 0xE48BFF57
INFO = "INFO_UF2.TXT"
BLOCK = 512
_MAGIC = (0x0A324655, 0x9E5D5157)
_MAGIC_END = 0x0AB16F30
_FAMILY_FLAG = 0x2000
_PART = 16 * BLOCK


def check(path: Path, data: bytes, family: int) -> None:
    """Every block: magic, number, family. Raises UserError."""
    if family == RP2350 and struct.unpack_from("<I", data.ljust(BLOCK), 28)[0] == _ABSOLUTE:
        data = data[BLOCK:]
    count = len(data) // BLOCK
    if not count or len(data) % BLOCK:
        raise UserError(f"{path} is no UF2 image, or not a whole one")
    for number in range(count):
        block = data[number * BLOCK : (number + 1) * BLOCK]
        head = struct.unpack_from("<8I", block)
        end = struct.unpack_from("<I", block, BLOCK - 4)[0]
        if head[:2] != _MAGIC or end != _MAGIC_END or head[5:7] != (number, count):
            raise UserError(f"{path} is no UF2 image, or not a whole one (block {number})")
        if not head[2] & _FAMILY_FLAG or head[7] != family:
            raise UserError(f"{path} is a UF2 image for another chip")


def is_boot_drive(folder: Path) -> bool:
    """Whether a mounted volume is a boot ROM's."""
    try:
        return (folder / INFO).read_bytes()[:3] == b"UF2"
    except OSError:
        return False


def chip_of(drive: Path) -> str:
    """The chip of this boot ROM's drive by its INFO_UF2.TXT; "" when the file does not name it.

    "Model: Raspberry Pi RP2" of an RP2040, "Board-ID: RP2350" of an RP2350 (their boot ROMs).
    """
    try:
        text = (drive / INFO).read_bytes()[:1024].decode("ascii", "replace")
    except OSError:
        return ""
    if "RP2350" in text:
        return "RP2350"
    return "RP2040" if "RPI-RP2" in text or "RP2040" in text else ""


def copy(image: Path, drive: Path, progress: Callable[[int], None]) -> None:
    """Write the image to the drive; the board installs it and restarts. Raises UserError."""
    data = image.read_bytes()
    target = drive / image.name
    try:
        with target.open("wb") as file:
            for at in range(0, len(data), _PART):
                file.write(data[at : at + _PART])
                progress(len(data[at : at + _PART]))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        # The ROM restarts after the last block; the drive may disappear before the file is closed.
        if drive.exists() and is_boot_drive(drive):
            raise UserError(
                f"the board broke off while its image was copied ({error.strerror}): hold BOOTSEL, "
                "plug it in and run this again"
            ) from None


def await_gone(drive: Path, timeout_s: float) -> None:
    """Wait until the board has restarted with the new image. Raises UserError."""
    end_s = time.monotonic() + timeout_s
    while is_boot_drive(drive):
        if time.monotonic() > end_s:
            raise UserError(
                f"the board did not take the image: unplug it, hold BOOTSEL, plug it in, try again "
                f"({drive} is still there)"
            )
        time.sleep(0.05)
