# SPDX-License-Identifier: MIT
"""The kinds of board: how each is recognised, and which image it accepts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.boards import BOARDS, BoardRow
from tools.errors import UserError
from tools.flash import uf2
from tools.image import FIRMWARE

MIN_MICROPYTHON = (1, 25, 0)


@dataclass(frozen=True)
class BoardKind(BoardRow):
    """One folder of firmware/boards."""

    @property
    def by_drive(self) -> bool:
        """Whether its boot ROM appears as a drive."""
        return bool(self.uf2_family)

    def matches(self, machine: str) -> bool:
        """Whether sys.implementation._machine is that of this kind. It ends with the chip.

        Later ports write ESP32-S3 for what was ESP32S3 in 1.25.
        """
        chip = machine.rpartition(" ")[2].replace("-", "")
        return chip == self.chip and self.machine in machine

    def check_image(self, path: Path, data: bytes) -> None:
        """Raises UserError when this kind of board does not accept it."""
        if self.by_drive:
            uf2.check(path, data, self.uf2_family)
        elif data[:1] != b"\xe9":  # esp_image_header_t.magic
            raise UserError(f"{path} is no ESP32 image (its first byte is not E9)")

    def wiring(self) -> list[tuple[str, ...]]:
        """The rows of the table in the board's README: what, pin, wiring."""
        text = (FIRMWARE / "boards" / self.name / "README.md").read_text()
        rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
        return [tuple(cell.strip() for cell in row) for row in rows[2:]]


KINDS = tuple(BoardKind(**vars(row)) for row in BOARDS)


def kind_named(name: str) -> BoardKind:
    """Raises UserError."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise UserError(f"no board {name}; there are {_supported()}")


def kind_of(platform: str, machine: str) -> BoardKind:
    """The kind of a board that runs MicroPython. Raises UserError."""
    for kind in KINDS:
        if kind.port == platform and kind.matches(machine):
            return kind
    raise UserError(f"there is no firmware for {machine!r}; there is for {_supported()}")


def guessed(chip: str) -> BoardKind | None:
    """The one kind with firmware that has this chip; None when there is none."""
    kinds = [kind for kind in KINDS if kind.chip == chip and not kind.unsupported]
    return kinds[0] if len(kinds) == 1 else None


def must_be_supported(kind: BoardKind) -> None:
    """Raises UserError, with the reason."""
    if kind.unsupported:
        raise UserError(f"{kind.name} is not supported: {kind.unsupported}")


def _supported() -> str:
    return ", ".join(kind.name for kind in KINDS if not kind.unsupported)
