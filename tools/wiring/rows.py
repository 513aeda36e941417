# SPDX-License-Identifier: MIT
"""The table of the parts of each board, read strictly and joined with its pins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from tools.wiring.source import BoardSource, board_names, read_board

_FILE = Path(__file__).with_name("boards.toml")


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wire from a part's terminal to a role of the firmware or to a pin of the family."""

    end: str
    role: str | None = None
    pin: str | None = None
    optional: bool = False  # of a role that a board's firmware may not have


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part and its wires."""

    title: str
    part: str
    lines: tuple[str, ...]
    rows: tuple[Row, ...]


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Boards that are wired alike. `header` has the header pin of each GPIO from 0."""

    title: str
    gpio: str
    analog_ground: str
    group: tuple[Group, ...]
    header: tuple[int, ...] = ()
    header_adc: tuple[int, ...] = ()  # of the GPIOs of the converter, from 26
    has_amplifier: bool = False
    has_wake: bool = False  # whether it sleeps at a few uA and a pin can wake it


class Stated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stated figures of a board, with their source."""

    value: str
    kind: Literal["emulated", "computed", "data sheet"]
    source: str


class BoardRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A board that is supported: it has firmware, pins, heap and boot."""

    title: str
    family: str
    part: str
    note: str
    heap: Stated
    boot: Stated
    image_note: str = ""  # which image of MicroPython, where it matters
    collection: Stated | None = None  # of garbage, where it takes longer than a sample


class _Tables(msgspec.Struct, forbid_unknown_fields=True):
    family: dict[str, Family]
    board: dict[str, BoardRow]


@dataclass(frozen=True)
class Wire:
    """One drawn connection: the part's terminal, the board's pin in words, the role if any."""

    end: str
    pin: str
    role: str | None


@dataclass(frozen=True)
class Wired:
    """A board with all its parts."""

    name: str
    row: BoardRow
    family: Family
    source: BoardSource

    def wires(self, group: Group) -> list[Wire]:
        """Of one part. Raises KeyError for a role the firmware does not have."""
        found = []
        for row in group.rows:
            if row.role is None:
                found.append(Wire(row.end, row.pin or "", None))
            elif not row.optional or row.role in self.source.pins:
                found.append(Wire(row.end, self.pin(row.role), row.role))
        return found

    def pin(self, role: str) -> str:
        """`GP26 (pin 31)` or `GPIO18`."""
        gpio = self.source.pins[role]
        header = self.header_pin(gpio)
        return f"{self.family.gpio}{gpio}" + (f" (pin {header})" if header else "")

    def header_pin(self, gpio: int) -> int | None:
        """None on boards whose makers number their headers differently."""
        if gpio < len(self.family.header):
            return self.family.header[gpio]
        if 0 <= gpio - 26 < len(self.family.header_adc):
            return self.family.header_adc[gpio - 26]
        return None


@cache
def _tables() -> _Tables:
    return msgspec.toml.decode(_FILE.read_bytes(), type=_Tables)


def supported() -> tuple[Wired, ...]:
    """Boards with firmware and a row here, in the order of the rows."""
    tables = _tables()
    return tuple(
        Wired(name, row, tables.family[row.family], read_board(name))
        for name, row in tables.board.items()
        if name in board_names()
    )
