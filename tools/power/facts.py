# SPDX-License-Identifier: MIT
"""Workbench: the tables of currents, batteries and climates, strictly read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from tools.errors import UserError

_FOLDER = Path(__file__).parent
Kind = Literal["data sheet", "published", "emulated", "computed", "assumed"]
Source = Annotated[str, msgspec.Meta(min_length=8)]
Twelve = Annotated[tuple[float, ...], msgspec.Meta(min_length=12, max_length=12)]


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number, the kind of its source, and the source."""

    value: float
    kind: Kind
    source: Source


class Curve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Straight lines through points (x, y), level outside."""

    points: tuple[tuple[float, float], ...]
    kind: Kind
    source: Source

    def at(self, x: float) -> float:
        """The value at x."""
        below = self.points[0]
        for point in self.points:
            if x <= point[0]:
                if point[0] == below[0]:
                    return point[1]
                share = (x - below[0]) / (point[0] - below[0])
                return below[1] + max(0.0, share) * (point[1] - below[1])
            below = point
        return below[1]


class Regulator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Between a battery and a rail of 3.3 V."""

    title: str
    efficiency: Figure
    quiescent_ua: Figure


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something beside the processor that draws from 3.3 V."""

    title: str
    ua: Figure


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Currents in mA at `supply_v`, durations in s; names of parts."""

    title: str
    supply_v: float
    run_ma: Figure
    always_ma: Figure
    burst_ma: Figure
    send_ma: Figure
    burst_s: Figure
    sampling: tuple[str, ...]  # parts that draw while it samples
    awake: tuple[str, ...]  # while it does not sleep
    resting: tuple[str, ...]  # always
    regulator: str
    at_input: bool = False
    # Of a board that a pin can wake: light sleep, which the firmware uses; deep sleep and the start
    # that follows it, to compare.
    light_ma: Figure | None = None
    deep_ma: Figure | None = None
    boot_s: Figure | None = None
    asleep: tuple[str, ...] = ()  # parts that draw while it sleeps
    sentinel: tuple[str, ...] = ()  # parts that sentinel mode adds


class Battery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of battery. Primary cells have `cell_ah` and cannot be charged."""

    title: str
    voltage: Figure
    usable: Figure
    loss_pct_month: Figure
    capacity: Curve
    cell_ah: Figure | None = None
    charge_from_c: Figure | None = None
    charge_efficiency: Figure | None = None


class Climate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Normals of one place, twelve months from January, of the northern hemisphere."""

    title: str
    source: Source
    latitude_deg: float
    mean_c: Twelve
    high_c: Twelve
    sunshine_min: Twelve | None = None
    level_wh_m2: Twelve | None = None


class _Boards(msgspec.Struct, forbid_unknown_fields=True):
    regulator: dict[str, Regulator]
    part: dict[str, Part]
    board: dict[str, Board]


class _Batteries(msgspec.Struct, forbid_unknown_fields=True):
    battery: dict[str, Battery]


class _Climates(msgspec.Struct, forbid_unknown_fields=True):
    climate: dict[str, Climate]


@cache
def _board_tables() -> _Boards:
    return msgspec.toml.decode((_FOLDER / "boards.toml").read_bytes(), type=_Boards)


def boards() -> dict[str, Board]:
    """All boards by name, the best known first."""
    return _board_tables().board


def parts() -> dict[str, Part]:
    """All parts by name."""
    return _board_tables().part


def regulators() -> dict[str, Regulator]:
    """All regulators by name."""
    return _board_tables().regulator


@cache
def batteries() -> dict[str, Battery]:
    """All kinds of battery by name."""
    return msgspec.toml.decode((_FOLDER / "batteries.toml").read_bytes(), type=_Batteries).battery


@cache
def climates() -> dict[str, Climate]:
    """All climates by name."""
    return msgspec.toml.decode((_FOLDER / "climates.toml").read_bytes(), type=_Climates).climate


def board_named(name: str) -> Board:
    """Raises UserError."""
    if name not in boards():
        raise UserError(f"no currents of a board {name!r}; there are {', '.join(boards())}")
    return boards()[name]


def climate_named(name: str) -> Climate:
    """Raises UserError."""
    if name not in climates():
        raise UserError(f"no climate {name!r}; there are {', '.join(climates())}")
    return climates()[name]
