# SPDX-License-Identifier: MIT
"""Where boards are: serial ports by USB vendor, and mounted boot ROM drives."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serial.tools import list_ports

from tools.errors import UserError
from tools.flash.uf2 import is_boot_drive

# USB vendor ids of boards and of the bridges on them (usb.org).
_RASPBERRY_PI = "Raspberry Pi"
MAKERS = {
    0x2E8A: _RASPBERRY_PI,
    0x303A: "Espressif",
    0x10C4: "Silicon Labs bridge",
    0x1A86: "WCH bridge",
    0x0403: "FTDI bridge",
}
_LABELS = ("RPI-RP2", "RP2350")
_BY_LABEL = Path("/dev/disk/by-label")


@dataclass(frozen=True)
class Port:
    """A serial port that a board may be on."""

    device: str
    maker: str
    serial_number: str = ""


def ports(listed: Callable[[], Iterable[Any]] = list_ports.comports) -> list[Port]:
    """Serial ports of known boards and bridges, sorted by name."""
    found = [
        Port(item.device, MAKERS[item.vid], str(item.serial_number or "")[:64])
        for item in listed()
        if item.vid in MAKERS
    ]
    return sorted(found, key=lambda port: port.device)


def the_port(wanted: str | None, found: list[Port]) -> str:
    """The port to use. Raises UserError when there is none or more than one."""
    if wanted:
        return wanted
    if len(found) == 1:
        return found[0].device
    if not found:
        raise UserError(
            "no board found: plug one in with a cable that carries data, or name its port with "
            "--port (groundwatch doctor looks at permissions)"
        )
    names = ", ".join(f"{port.device} ({port.maker})" for port in found)
    raise UserError(f"{len(found)} boards are plugged in: {names}; name one with --port")


def is_raspberry_pi(device: str, listed: Callable[[], Iterable[Any]] = list_ports.comports) -> bool:
    """Whether a port is of a board of Raspberry Pi, on which no ESP32 boot loader answers."""
    return any(port.device == device and port.maker == _RASPBERRY_PI for port in ports(listed))


def mounts() -> list[Path]:
    """Every mounted volume."""
    if sys.platform == "darwin":
        return sorted(Path("/Volumes").iterdir())
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return []
    # Spaces in a path are written \\040 there (proc(5), fstab(5)).
    places = (line.split()[1].encode().decode("unicode_escape") for line in lines)
    return sorted({Path(place) for place in places if place.startswith("/")})


def boot_drives(volumes: Callable[[], Iterable[Path]] = mounts) -> list[Path]:
    """Mounted drives of boot ROMs."""
    return [volume for volume in volumes() if is_boot_drive(volume)]


def unmounted_drive(by_label: Path = _BY_LABEL) -> str:
    """A message about a boot ROM's drive that is not mounted; empty when there is none."""
    for label in _LABELS:
        if (by_label / label).exists():
            return f"{label} is there but not mounted: udisksctl mount -b {by_label / label}"
    return ""
