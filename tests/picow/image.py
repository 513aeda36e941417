# SPDX-License-Identifier: MIT
"""Which official Pico W images the tests know, by the hash of the file as published."""

from __future__ import annotations

import hashlib
from pathlib import Path

# MicroPython's RPI_PICO_W builds by release.
KNOWN = {
    "1ea124cc33ecb2dfab323e3d4d7dd7421fb208dd77ab21a8dcf17fba6c840660": "1.22.2",
    "33b87e058d7a7c02cebc34bcd9eff2c8fdfadf8cec1a60c2d896c5044da4fcb1": "1.23.0",
    "d03ed810bacefd6aa2463d4826597d7f8db94710865d8bf67b3de66087507b10": "1.25.0",
}


def release_of(image: Path) -> str | None:
    """The MicroPython release of an image file, or None when its hash is not known."""
    return KNOWN.get(hashlib.sha256(image.read_bytes()).hexdigest())
