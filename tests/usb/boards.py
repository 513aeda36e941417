# SPDX-License-Identifier: MIT
"""Shared by the USB tests: a site, images, and waiting for another thread."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

from gateway.keys import create_fleet_root

SITE = """\
# Placed in March.
[site]
name = "north"
[[sector]]
id = "gate"
[[node]]
id = "n01"
x_m = 0
y_m = 0
sector = "gate"
"""
GATEWAY = """\
[gateway]
data_dir = "data"
site = "site.toml"
fleet_key = "fleet.key"
[nodes]
ssid = "groundwatch"
passphrase = "correct horse battery"
host = "192.168.4.1"
"""


def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until a condition that another thread changes is true."""
    end_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end_s, "it did not come about"
        time.sleep(0.01)


def write_site(folder: Path) -> Path:
    """gateway.toml of a site with one node and a fleet key."""
    (folder / "site.toml").write_text(SITE)
    (folder / "gateway.toml").write_text(GATEWAY)
    create_fleet_root(folder / "fleet.key")
    return folder / "gateway.toml"


def uf2_image(program: bytes, family: int = 0xE48BFF56) -> bytes:
    """A UF2 file of a program at the start of flash."""
    parts = [program[at : at + 256].ljust(256, b"\0") for at in range(0, len(program), 256)]
    out = b""
    for number, part in enumerate(parts):
        head = struct.pack(
            "<8I",
            0x0A324655,
            0x9E5D5157,
            0x2000,
            0x10000000 + 256 * number,
            256,
            number,
            len(parts),
            family,
        )
        out += (head + part).ljust(508, b"\0") + struct.pack("<I", 0x0AB16F30)
    return out


def esp32_image(size: int = 40_000) -> bytes:
    """An image that esptool accepts as an application: the magic byte, and noise."""
    return b"\xe9" + os.urandom(size)
