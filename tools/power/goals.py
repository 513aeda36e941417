# SPDX-License-Identifier: MIT
"""Workbench: the goals of a node's power for every board: the tables of docs/power.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.bench.report import write_into
from tools.power.battery import Pack
from tools.power.budget import Radio, Sleep, Use, budget, sentinels
from tools.power.facts import boards, climate_named
from tools.power.sun import Sky, best_tilt, sky_of
from tools.power.year import Panel, Year, primary_days, simulate

GOAL_DAYS = 365
PANEL_W = 5.0
SHADED = 0.25  # of the sun, taken by trees, horizon and snow: assumed
DARK_DAYS = 5
CELLS = (Pack("alkaline_d", 2), Pack("lisocl2_d", 2))
_LIFEPO4, _GEL = Pack("lifepo4", 18.0), Pack("lead_gel", 12.0)


@dataclass(frozen=True)
class Place:
    """A column of the table: a place and a battery."""

    latitude_deg: float
    climate: str
    pack: Pack = _LIFEPO4
    colder_c: float = 0.0

    @property
    def sky(self) -> Sky:
        """Its clouds and temperatures."""
        return sky_of(climate_named(self.climate), self.latitude_deg, self.colder_c)

    def __str__(self) -> str:
        colder = f", {self.colder_c:g} C colder" if self.colder_c else ""
        return f"{self.latitude_deg:g} N, {self.climate}{colder}, {self.pack}"


PLACES = (
    Place(37.0, "mediterranean"),
    Place(45.0, "temperate"),
    Place(52.0, "temperate"),
    Place(60.0, "temperate", _LIFEPO4, 5.0),
    Place(60.0, "temperate", _GEL, 5.0),
)
_CELLS_PLACE = Place(52.0, "temperate")
_RADIOS: tuple[Radio, ...] = ("always", "burst")
_SLEEPS: tuple[Sleep, ...] = ("light", "deep")


def cells_days(board: str, pack: Pack, use: Use, first_day: int = 0) -> int:
    """How long cells last in sentinel mode, from a day of the year in the tables' place."""
    return primary_days(budget(board, use).wh_per_day, pack, _CELLS_PLACE.sky, first_day)


def cells_table() -> str:
    """A year on two D cells in sentinel mode, few and many wake-ups."""
    few, many = Use("sentinel", "burst"), Use("sentinel", "burst", wakes_per_day=200)
    by_wakes = (
        f"mean power, {use.wakes_per_day:.0f} wake-ups a day | two alkaline D | two Li-SOCl2 D"
        for use in (few, many)
    )
    lines = [f"| board | {' | '.join(by_wakes)} |", "|---|---|---|---|---|---|---|"]
    for name in sentinels():
        cells = [name]
        for use in (few, many):
            cells.append(f"{budget(name, use).mw:.2f} mW")
            cells += [_days(cells_days(name, pack, use)) for pack in CELLS]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def sleep_table() -> str:
    """Light and deep sleep: mean power, and days on two alkaline D cells."""
    wakes = (24, 200)
    lines = [
        f"| board | sleep | {' | '.join(f'{n} wake-ups a day | two alkaline D' for n in wakes)} |",
        "|---|---|---|---|---|---|",
    ]
    for name in sentinels():
        for sleep in _SLEEPS:
            cells = [name, sleep]
            for count in wakes:
                use = Use("sentinel", "burst", wakes_per_day=count, sleep=sleep)
                cells.append(f"{budget(name, use).mw:.2f} mW")
                cells.append(f"{cells_days(name, CELLS[0], use)} days")
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def panel_year(load_wh: float, place: Place) -> Year:
    """The year of a node on the tables' panel."""
    panel = Panel(PANEL_W, best_tilt(place.latitude_deg), SHADED)
    return simulate(load_wh, place.pack, place.sky, panel, DARK_DAYS)


def panel_table() -> str:
    """A year on a 5 W panel in continuous mode, by board, radio and latitude."""
    heads = [str(place) for place in PLACES]
    lines = [
        f"| board | radio | mean power | {' | '.join(heads)} |",
        f"|---|---|---|{'---|' * len(heads)}",
    ]
    for name in boards():
        for radio in _RADIOS:
            spent = budget(name, Use("continuous", radio))
            cells = [name, radio, f"{spent.mw:.0f} mW"]
            cells += [_verdict(panel_year(spent.wh_per_day, place)) for place in PLACES]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def budget_table() -> str:
    """Every row of the two first boards' budgets, with its kind and source."""
    lines = ["| board, mode | share | mW | kind | from |", "|---|---|---|---|---|"]
    uses = (
        Use("continuous", "always"),
        Use("continuous", "burst"),
        Use("sentinel", "burst"),
    )
    for name in ("pico_w", "esp32_s3"):
        for use in uses[: 3 if name in sentinels() else 2]:
            label = f"{name}, {mode_name(use)}"
            spent = budget(name, use)
            for row in spent.rows:
                lines.append(
                    f"| {label} | {row.title} | {row.mw:.3f} | {row.kind} | {row.source} |"
                )
            lines.append(f"| {label} | **together** | **{spent.mw:.2f}** | computed | |")
    return "\n".join(lines)


def mode_name(use: Use) -> str:
    """In words, as in the tables."""
    return "sentinel" if use.mode == "sentinel" else f"continuous, radio {use.radio}"


def _days(days: int) -> str:
    if days >= GOAL_DAYS:
        return f"{days} days" if days < 2 * GOAL_DAYS else f"{days / GOAL_DAYS:.1f} years"
    return f"**{days} days: missed**"


def _verdict(year: Year) -> str:
    if year.survives:
        spare = min(c - f for c, f in zip(year.charge, year.floor, strict=True))
        return f"all year, {spare:.0%} spare"
    return f"**missed: {year.empty_days} days off**"


def write_tables(path: Path) -> None:
    """Into their places in docs/power.md. Raises UserError where they are not."""
    for subject, table in tables().items():
        write_into(path, subject, table)


def tables() -> dict[str, str]:
    """All tables of docs/power.md by the name of their place."""
    return {
        "cells": cells_table(),
        "sleep": sleep_table(),
        "panel": panel_table(),
        "budget": budget_table(),
    }
