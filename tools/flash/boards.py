# SPDX-License-Identifier: MIT
"""The kinds of board: how each is told, and how MicroPython gets onto it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError
from tools.flash import uf2
from tools.image import FIRMWARE

MICROPYTHON_LEAST = (1, 25, 0)


@dataclass(frozen=True)
class BoardKind:
    """One folder of firmware/boards. `machine` is a word of sys.implementation._machine."""

    name: str
    platform: str
    machine: str
    image_name: str
    image_sha256: str  # as published (docs/adr/0011)
    release: str
    uf2_family: int = 0  # of a board with a boot ROM drive
    flash_offset: int = 0  # of a board that esptool writes

    @property
    def by_drive(self) -> bool:
        """Whether its boot ROM shows itself as a drive."""
        return bool(self.uf2_family)

    def check_image(self, path: Path, data: bytes) -> None:
        """Raises UserError when this kind of board would not take it."""
        if self.by_drive:
            uf2.check(path, data, self.uf2_family)
        elif data[:1] != b"\xe9":  # esp_image_header_t.magic
            raise UserError(f"{path} is no ESP32 image (its first byte is not E9)")

    def wiring(self) -> list[tuple[str, ...]]:
        """The rows of the table in the board's README: what, pin, wiring."""
        text = (FIRMWARE / "boards" / self.name / "README.md").read_text()
        rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
        return [tuple(cell.strip() for cell in row) for row in rows[2:]]


KINDS = (
    BoardKind(
        "pico_w",
        "rp2",
        "Pico W",
        "RPI_PICO_W-20250415-v1.25.0.uf2",
        "d03ed810bacefd6aa2463d4826597d7f8db94710865d8bf67b3de66087507b10",
        "1.25.0",
        uf2_family=uf2.RP2040,
    ),
    BoardKind(
        "esp32",
        "esp32",
        "ESP32",
        "ESP32_GENERIC-20250415-v1.25.0.bin",
        "1eb1a88473e32aa6a4d45dc1b5b6ad40bc1f06128e7aa8548e438cfa4633da1b",
        "1.25.0",
        flash_offset=0x1000,
    ),
)


def kind_named(name: str) -> BoardKind:
    """Raises UserError."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise UserError(f"no board {name}; there are {', '.join(kind.name for kind in KINDS)}")


def kind_of(platform: str, machine: str) -> BoardKind:
    """What a board with MicroPython on it is. Raises UserError."""
    for kind in KINDS:
        if kind.platform == platform and kind.machine in machine:
            return kind
    raise UserError(
        f"there is no firmware for {machine!r}; there is for "
        f"{', '.join(kind.name for kind in KINDS)}"
    )
