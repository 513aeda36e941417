# SPDX-License-Identifier: MIT
"""Workbench: `groundwatch power`: battery and panel for a board, a mode and a place, computed."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from gateway.commands.options import PATH, json_option
from tools import output
from tools.errors import UserError
from tools.power import goals, report
from tools.power.battery import Pack, parse_pack
from tools.power.budget import Budget, Radio, Use, budget, sentinels
from tools.power.facts import Climate, batteries, board_named, boards, climate_named, climates
from tools.power.plot import draw_year
from tools.power.sizing import size
from tools.power.sun import Sky, best_tilt, sky_of, sky_of_measured
from tools.power.year import Panel, Year, primary_days, simulate


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    board: str
    mode: Literal["continuous", "sentinel"]
    radio: Radio | None
    messages_per_day: float
    heartbeat_s: float | None
    wakes_per_day: float
    awake_s: float
    burst_s: float | None
    latitude: float | None
    climate: str | None
    sun_kwh: str | None
    colder_c: float
    panel_w: float | None
    tilt: float | None
    shade_pct: float
    dark_days: int
    battery: str | None
    size: bool
    as_json: bool
    plot: Path | None
    into: Path | None


@click.command()
@click.option("--board", default="pico_w", help=f"one of {', '.join(boards())}")
@click.option("--mode", type=click.Choice(["continuous", "sentinel"]), default="continuous")
@click.option(
    "--radio",
    type=click.Choice(["always", "burst"]),
    help="[default: always; in sentinel mode: burst]",
)
@click.option("--messages-per-day", type=float, default=24, help="beside heartbeats")
@click.option(
    "--heartbeat-s",
    type=float,
    help="[default: 60 with radio always, 1800 in burst, 3600 in sentinel mode]",
)
@click.option("--wakes-per-day", type=float, default=24, help="in sentinel mode, false ones too")
@click.option("--awake-s", type=float, default=30, help="in sentinel mode, for each wake-up")
@click.option("--burst-s", type=float, help="radio on for each message  [default: the board's]")
@click.option("--latitude", type=float, help="degrees, south negative; needed with a panel")
@click.option("--climate", help=f"clouds: {', '.join(climates())}  [default: by latitude]")
@click.option("--sun-kwh", help="instead of clouds: kWh/m2 a day on level ground, or 12 of months")
@click.option("--colder-c", type=float, default=0, help="than the climate's normals")
@click.option("--panel-w", type=float, help="peak power of the panel")
@click.option("--tilt", type=float, help="degrees  [default: latitude and 15]")
@click.option("--shade-pct", type=float, default=0, help="of the sun that trees take")
@click.option("--dark-days", type=int, default=5, help="together without sun, each month")
@click.option("--battery", help=f"lifepo4:6Ah or alkaline_d:2; kinds: {', '.join(batteries())}")
@click.option("--size", is_flag=True, help="find the smallest battery and panel; --battery KIND")
@json_option("everything as one line of JSON")
@click.option("--plot", type=PATH, metavar="FILE.svg", help="draw the year")
@click.option("--into", type=PATH, help="write the tables of all boards into this file")
def power(**given: Any) -> int:
    """Compute and print; 0 for every result. Raises UserError."""
    asked = Request(**given)
    if asked.into is not None:
        goals.write_tables(asked.into)
        return 0
    board_named(asked.board)
    spent = budget(asked.board, _use(asked))
    if asked.size:
        return _sized(asked, spent)
    if asked.battery is None:
        if asked.panel_w is not None or asked.plot is not None:
            raise UserError("--panel-w and --plot need a --battery, e.g. --battery lifepo4:6Ah")
        return _show(asked, spent, {})
    pack = parse_pack(asked.battery)
    if pack.is_primary:
        return _on_cells(asked, spent, pack)
    if asked.panel_w is None:
        days = pack.usable_wh(20) / spent.wh_per_day
        return _show(asked, spent, {"battery": str(pack), "days_without_sun": round(days, 1)})
    sky, panel = _sky(asked), _panel(asked, asked.panel_w)
    year = simulate(spent.wh_per_day, pack, sky, panel, _dark_days(asked))
    return _year(asked, spent, pack, panel, year)


def _sized(asked: Request, spent: Budget) -> int:
    kind = (asked.battery or "lifepo4").partition(":")[0]
    if kind not in batteries() or batteries()[kind].cell_ah is not None:
        raise UserError(f"--size needs a battery that is charged, not {kind!r}")
    sky, panel = _sky(asked), _panel(asked, 1.0)
    found = size(spent.wh_per_day, kind, sky, panel.tilt_deg, panel.shaded, _dark_days(asked))
    return _year(asked, spent, found.pack, found.panel, found.year)


def _year(asked: Request, spent: Budget, pack: Pack, panel: Panel, year: Year) -> int:
    if asked.plot is not None:
        title = f"{asked.board}, {goals.mode_name(spent.use)}: {spent.mw:.0f} mW"
        subtitle = (
            f"{panel.peak_w:g} W panel at {panel.tilt_deg:.0f} degrees, {pack}, "
            f"{asked.latitude:g} degrees of latitude, {asked.dark_days} dark days; computed"
        )
        output.write(asked.plot, draw_year(year, title, subtitle))
    return _show(asked, spent, report.year_facts(pack, panel, year))


def _on_cells(asked: Request, spent: Budget, pack: Pack) -> int:
    if asked.panel_w is not None or asked.plot is not None:
        raise UserError(f"{pack.name} cannot be charged: no --panel-w and no --plot with it")
    sky = sky_of(_climate(asked, 52.0), 52.0, asked.colder_c)
    days = primary_days(spent.wh_per_day, pack, sky)
    return _show(asked, spent, {"battery": str(pack), "days": days, "a_year": days >= 365})


def _show(asked: Request, spent: Budget, found: dict[str, object]) -> int:
    if asked.as_json:
        print(json.dumps({**report.budget_facts(spent), **found}))
    else:
        print(report.text(spent, found))
    return 0


def _use(asked: Request) -> Use:
    _within(asked.messages_per_day, "--messages-per-day", 0, 100_000)
    _within(asked.wakes_per_day, "--wakes-per-day", 0, 10_000)
    _within(asked.awake_s, "--awake-s", 1, 3600)
    _within(asked.heartbeat_s, "--heartbeat-s", 10, 86_400)
    _within(asked.burst_s, "--burst-s", 0.1, 120)
    if asked.mode == "sentinel" and asked.board in boards() and asked.board not in sentinels():
        raise UserError(
            f"no pin wakes {asked.board}: sentinel mode runs on {', '.join(sentinels())}"
        )
    if asked.mode == "sentinel" and asked.radio == "always":
        raise UserError("a sentinel sleeps: --radio always does not go with it")
    radio: Radio = "burst" if asked.mode == "sentinel" else asked.radio or "always"
    return Use(
        asked.mode,
        radio,
        asked.messages_per_day,
        asked.wakes_per_day,
        asked.awake_s,
        asked.heartbeat_s,
        asked.burst_s,
    )


def _sky(asked: Request) -> Sky:
    if asked.latitude is None:
        raise UserError("a panel needs --latitude, e.g. --latitude 52")
    _within(asked.latitude, "--latitude", -90, 90)
    _within(asked.colder_c, "--colder-c", -40, 40)
    sky = sky_of(_climate(asked, asked.latitude), asked.latitude, asked.colder_c)
    return sky if asked.sun_kwh is None else sky_of_measured(sky, _months(asked.sun_kwh))


def _climate(asked: Request, latitude: float) -> Climate:
    return climate_named(asked.climate or ("temperate" if abs(latitude) >= 43 else "mediterranean"))


def _months(text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(word) for word in text.split(","))
    except ValueError:
        raise UserError(f"--sun-kwh: {text!r} is not 1 or 12 numbers with commas") from None
    if len(values) not in (1, 12) or not all(0 <= value <= 15 for value in values):
        raise UserError("--sun-kwh: 1 or 12 numbers from 0 to 15")
    return values * (12 // len(values))


def _panel(asked: Request, peak_w: float) -> Panel:
    _within(peak_w, "--panel-w", 0.1, 1000)
    _within(asked.tilt, "--tilt", 0, 90)
    _within(asked.shade_pct, "--shade-pct", 0, 99)
    tilt = best_tilt(asked.latitude or 0.0) if asked.tilt is None else asked.tilt
    return Panel(peak_w, tilt, asked.shade_pct / 100)


def _dark_days(asked: Request) -> int:
    _within(asked.dark_days, "--dark-days", 0, 28)
    return int(asked.dark_days)


def _within(value: float | None, option: str, least: float, most: float) -> None:
    if value is not None and not (math.isfinite(value) and least <= value <= most):
        raise UserError(f"{option} must be from {least:g} to {most:g}")
