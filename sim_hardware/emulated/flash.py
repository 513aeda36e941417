# SPDX-License-Identifier: MIT
"""The emulated board's flash: a program at its start, MicroPython's littlefs at its end."""

from __future__ import annotations

from pathlib import Path

from littlefs import LittleFS
from littlefs.errors import LittleFSError

from sim_hardware.emulated.image import FLASH_BYTES
from sim_hardware.errors import SimError

# MicroPython 1.25 for the Pico W: the file system is the last 848 KiB (ports/rp2,
# boards/RPI_PICO_W/mpconfigboard.h, MICROPY_HW_FLASH_STORAGE_BYTES), in erase blocks of 4 KiB.
BLOCK_SIZE = 4096
BLOCK_COUNT = 212


def filesystem_image(
    tree: Path, block_count: int = BLOCK_COUNT, block_size: int = BLOCK_SIZE
) -> bytes:
    """A littlefs image (disk version 2.0, as MicroPython mounts) of everything in `tree`.

    Raises SimError when it does not fit.
    """
    files = LittleFS(
        block_size=block_size, block_count=block_count, prog_size=256, disk_version=0x00020000
    )
    try:
        for path in sorted(tree.rglob("*")):
            name = str(path.relative_to(tree))
            if path.is_dir():
                files.makedirs(name, exist_ok=True)
            else:
                with files.open(name, "wb") as target:
                    target.write(path.read_bytes())
    except LittleFSError as error:
        raise SimError(
            f"{tree} does not fit into {block_count * block_size} bytes: {error}"
        ) from None
    files.unmount()
    return bytes(files.context.buffer)


def content(program: bytes, tree: Path | None) -> bytes:
    """The whole flash: the program, blank flash, and the files of `tree` if given."""
    flash = bytearray(program.ljust(FLASH_BYTES, b"\xff"))
    if tree is not None:
        files = filesystem_image(tree)
        if len(program) > FLASH_BYTES - len(files):
            raise SimError("the image leaves no room for MicroPython's file system")
        flash[-len(files) :] = files
    return bytes(flash)


def load(path: Path) -> bytes:
    """The flash from the file of an earlier run. Raises SimError unless it is complete."""
    data = path.read_bytes() if path.is_file() else b""
    if len(data) != FLASH_BYTES:
        raise SimError(f"{path} is not the flash of a Pico W: {FLASH_BYTES} bytes are expected")
    return data


def save(path: Path, data: bytes) -> None:
    """Write the whole flash to a file; the old file stays until the new one is complete."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
