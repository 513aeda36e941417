# SPDX-License-Identifier: MIT
"""Workbench: a battery of a kind and a size: its energy, in the cold and over time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.errors import UserError
from tools.power.facts import Battery, batteries

_SIZE = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)(Ah)?")
_MAX_CELLS = 24
_DAYS_PER_MONTH = 365 / 12


@dataclass(frozen=True)
class Pack:
    """`amount` is Ah of a battery that is charged, and a number of cells of one that is not."""

    name: str
    amount: float

    @property
    def kind(self) -> Battery:
        """Its row of the table."""
        return batteries()[self.name]

    @property
    def is_primary(self) -> bool:
        """Whether it cannot be charged."""
        return self.kind.cell_ah is not None

    @property
    def wh(self) -> float:
        """Its whole energy at room temperature."""
        cell = self.kind.cell_ah
        return self.amount * self.kind.voltage.value * (1.0 if cell is None else cell.value)

    def usable_wh(self, celsius: float) -> float:
        """The energy that a node may draw at a temperature."""
        return self.wh * self.kind.usable.value * self.kind.capacity.at(celsius)

    @property
    def lost_share_per_day(self) -> float:
        """Self-discharge in a day as a share of what it holds."""
        return self.kind.loss_pct_month.value / 100 / _DAYS_PER_MONTH

    def charged(self, wh: float, celsius: float) -> float:
        """The energy stored of an amount offered; 0 when it is too cold to charge."""
        least, efficiency = self.kind.charge_from_c, self.kind.charge_efficiency
        if least is None or efficiency is None or celsius < least.value:
            return 0.0
        return wh * efficiency.value

    def __str__(self) -> str:
        return f"{self.name}:{self.amount:g}{'' if self.is_primary else 'Ah'}"


def parse_pack(text: str) -> Pack:
    """`lifepo4:6Ah` or `alkaline_d:2`. Raises UserError."""
    name, _, size = text.partition(":")
    if name not in batteries():
        raise UserError(f"no battery {name!r}; there are {', '.join(batteries())}")
    match = _SIZE.fullmatch(size)
    is_primary = batteries()[name].cell_ah is not None
    if match is None or bool(match[2]) == is_primary or not 0 < float(match[1]) <= 1000:
        want = f"{name}:2 (cells)" if is_primary else f"{name}:6Ah"
        raise UserError(f"battery {text!r} has no such size; write it as {want}")
    if is_primary and (float(match[1]) % 1 or float(match[1]) > _MAX_CELLS):
        raise UserError(f"battery {text!r}: from 1 to {_MAX_CELLS} whole cells")
    return Pack(name, float(match[1]))
