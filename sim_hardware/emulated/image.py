# SPDX-License-Identifier: MIT
"""Official Pico W images: path, release, and flash content."""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

from sim_hardware.errors import SimError

# MicroPython's RPI_PICO_W builds by release, each by the hash of the file as published.
KNOWN = {
    "1ea124cc33ecb2dfab323e3d4d7dd7421fb208dd77ab21a8dcf17fba6c840660": "1.22.2",
    "33b87e058d7a7c02cebc34bcd9eff2c8fdfadf8cec1a60c2d896c5044da4fcb1": "1.23.0",
    "d03ed810bacefd6aa2463d4826597d7f8db94710865d8bf67b3de66087507b10": "1.25.0",
}
_NEWEST = "RPI_PICO_W-20250415-v1.25.0.uf2"
_GLOB = "RPI_PICO_W-*.uf2"
_IMAGE_MAX = 8 << 20
FLASH_BYTES = 2 << 20  # of a Pico W

_BLOCK = 512
_MAGIC = (0x0A324655, 0x9E5D5157)
_FAMILY_RP2040 = 0xE48BFF56
_FLASH_BASE = 0x10000000
_PAYLOAD_MAX = 476


def find(named: Path | None, cache: Path) -> Path:
    """The image to start: `named`, or $PICO_W_UF2, or the newest in `cache`. Raises SimError."""
    if named is None and (variable := os.environ.get("PICO_W_UF2")):
        named = Path(variable)
    if named is not None:
        if not named.is_file():
            raise SimError(f"{named} is no file; give a Pico W image with --image")
        return named
    cached = sorted(cache.glob(_GLOB))
    if not cached:
        raise SimError(
            f"no Pico W image: download {_NEWEST} from "
            f"https://micropython.org/download/RPI_PICO_W/ into {cache}, or name one with --image"
        )
    return cached[-1]


def release_of(path: Path) -> str | None:
    """The MicroPython release of an image file, or None when its hash is not known."""
    return KNOWN.get(hashlib.sha256(path.read_bytes()).hexdigest())


def program_of(path: Path) -> bytes:
    """The flash content of a UF2 file, from the start of flash. Raises SimError."""
    if path.stat().st_size > _IMAGE_MAX:
        raise SimError(f"{path.name} is too large for a Pico W image")
    data = path.read_bytes()
    flash = bytearray()
    for at in range(0, len(data), _BLOCK):
        if len(data) - at < _BLOCK:
            raise SimError(f"{path.name} is no whole UF2 image")
        first, second, _flags, address, size, _number, _count, family = struct.unpack_from(
            "<8I", data, at
        )
        start = address - _FLASH_BASE
        if (first, second) != _MAGIC or size > _PAYLOAD_MAX:
            raise SimError(f"{path.name} is no UF2 image")
        if family != _FAMILY_RP2040 or not 0 <= start <= FLASH_BYTES - size:
            raise SimError(f"{path.name} is no image for an RP2040 with 2 MiB of flash")
        flash.extend(b"\xff" * (start + size - len(flash)))
        flash[start : start + size] = data[at + 32 : at + 32 + size]
    if not flash:
        raise SimError(f"{path.name} is empty")
    return bytes(flash)
