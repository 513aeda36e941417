# SPDX-License-Identifier: MIT
"""Workbench: `groundwatch power`: battery and panel for a board, a mode and a place, computed."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

from tools.errors import UserError
from tools.power import goals, report
from tools.power.battery import Pack, parse_pack
from tools.power.budget import Budget, Radio, Use, budget, sentinels
from tools.power.facts import Climate, batteries, board_named, boards, climate_named, climates
from tools.power.plot import draw_year
from tools.power.sizing import size
from tools.power.sun import Sky, best_tilt, sky_of, sky_of_measured
from tools.power.year import Panel, Year, primary_days, simulate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    add = parser.add_argument
    add("--board", default="pico_w", help=f"one of {', '.join(boards())} (default: pico_w)")
    add(
        "--mode",
        choices=("continuous", "sentinel"),
        default="continuous",
        help="default: continuous",
    )
    add("--radio", choices=("always", "burst"), help="default: always; sentinel: burst")
    add("--messages-per-day", type=float, default=24, help="beside heartbeats (default: 24)")
    add(
        "--heartbeat-s",
        type=float,
        help="default: 60 with radio always, 1800 in burst, 3600 sentinel",
    )
    add("--wakes-per-day", type=float, default=24, help="sentinel, false ones too (default: 24)")
    add("--awake-s", type=float, default=30, help="sentinel, for each wake-up (default: 30)")
    add("--burst-s", type=float, help="radio on for each message (default: the board's)")
    add("--latitude", type=float, help="degrees, south negative; needed with a panel")
    add("--climate", help=f"clouds: {', '.join(climates())} (default: by latitude)")
    add("--sun-kwh", help="instead of clouds: kWh/m2 a day on level ground, or 12 from January")
    add("--colder-c", type=float, default=0, help="than the climate's normals (default: 0)")
    add("--panel-w", type=float, help="peak power of the panel")
    add("--tilt", type=float, help="degrees (default: latitude and 15)")
    add("--shade-pct", type=float, default=0, help="of the sun that trees take (default: 0)")
    add("--dark-days", type=int, default=5, help="together without sun, each month (default: 5)")
    add("--battery", help=f"lifepo4:6Ah or alkaline_d:2; kinds: {', '.join(batteries())}")
    add("--size", action="store_true", help="find the smallest battery and panel; --battery KIND")
    add("--json", action="store_true", help="everything as one line of JSON")
    add("--plot", type=Path, metavar="FILE.svg", help="draw the year")
    add("--into", type=Path, help="write the tables of all boards into their places in this file")


def run(args: argparse.Namespace) -> int:
    """0 whatever the answer is. Raises UserError."""
    if args.into is not None:
        goals.write_tables(args.into)
        return 0
    board_named(args.board)
    spent = budget(args.board, _use(args))
    if args.size:
        return _sized(args, spent)
    if args.battery is None:
        if args.panel_w is not None or args.plot is not None:
            raise UserError("--panel-w and --plot need a --battery, e.g. --battery lifepo4:6Ah")
        return _tell(args, spent, {})
    pack = parse_pack(args.battery)
    if pack.is_primary:
        return _on_cells(args, spent, pack)
    if args.panel_w is None:
        days = pack.usable_wh(20) / spent.wh_per_day
        return _tell(args, spent, {"battery": str(pack), "days_without_sun": round(days, 1)})
    sky, panel = _sky(args), _panel(args, args.panel_w)
    year = simulate(spent.wh_per_day, pack, sky, panel, _dark_days(args))
    return _year(args, spent, pack, panel, year)


def _sized(args: argparse.Namespace, spent: Budget) -> int:
    kind = (args.battery or "lifepo4").partition(":")[0]
    if kind not in batteries() or batteries()[kind].cell_ah is not None:
        raise UserError(f"--size needs a battery that is charged, not {kind!r}")
    sky, panel = _sky(args), _panel(args, 1.0)
    found = size(spent.wh_per_day, kind, sky, panel.tilt_deg, panel.shaded, _dark_days(args))
    return _year(args, spent, found.pack, found.panel, found.year)


def _year(args: argparse.Namespace, spent: Budget, pack: Pack, panel: Panel, year: Year) -> int:
    if args.plot is not None:
        title = f"{args.board}, {goals.mode_name(spent.use)}: {spent.mw:.0f} mW"
        subtitle = (
            f"{panel.peak_w:g} W panel at {panel.tilt_deg:.0f} degrees, {pack}, "
            f"{args.latitude:g} degrees of latitude, {args.dark_days} dark days; computed"
        )
        _write(args.plot, draw_year(year, title, subtitle))
    return _tell(args, spent, report.year_facts(pack, panel, year))


def _on_cells(args: argparse.Namespace, spent: Budget, pack: Pack) -> int:
    if args.panel_w is not None or args.plot is not None:
        raise UserError(f"{pack.name} cannot be charged: no --panel-w and no --plot with it")
    sky = sky_of(_climate(args, 52.0), 52.0, args.colder_c)
    days = primary_days(spent.wh_per_day, pack, sky)
    return _tell(args, spent, {"battery": str(pack), "days": days, "a_year": days >= 365})


def _tell(args: argparse.Namespace, spent: Budget, found: dict[str, object]) -> int:
    if args.json:
        print(json.dumps({**report.budget_facts(spent), **found}))
    else:
        print(report.text(spent, found))
    return 0


def _use(args: argparse.Namespace) -> Use:
    _within(args.messages_per_day, "--messages-per-day", 0, 100_000)
    _within(args.wakes_per_day, "--wakes-per-day", 0, 10_000)
    _within(args.awake_s, "--awake-s", 1, 3600)
    _within(args.heartbeat_s, "--heartbeat-s", 10, 86_400)
    _within(args.burst_s, "--burst-s", 0.1, 120)
    if args.mode == "sentinel" and args.board in boards() and args.board not in sentinels():
        raise UserError(
            f"no pin wakes {args.board}: sentinel mode runs on {', '.join(sentinels())}"
        )
    if args.mode == "sentinel" and args.radio == "always":
        raise UserError("a sentinel sleeps: --radio always does not go with it")
    radio: Radio = "burst" if args.mode == "sentinel" else args.radio or "always"
    return Use(
        args.mode,
        radio,
        args.messages_per_day,
        args.wakes_per_day,
        args.awake_s,
        args.heartbeat_s,
        args.burst_s,
    )


def _sky(args: argparse.Namespace) -> Sky:
    if args.latitude is None:
        raise UserError("a panel needs --latitude, e.g. --latitude 52")
    _within(args.latitude, "--latitude", -90, 90)
    _within(args.colder_c, "--colder-c", -40, 40)
    sky = sky_of(_climate(args, args.latitude), args.latitude, args.colder_c)
    return sky if args.sun_kwh is None else sky_of_measured(sky, _months(args.sun_kwh))


def _climate(args: argparse.Namespace, latitude: float) -> Climate:
    return climate_named(args.climate or ("temperate" if abs(latitude) >= 43 else "mediterranean"))


def _months(text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(word) for word in text.split(","))
    except ValueError:
        raise UserError(f"--sun-kwh: {text!r} is not 1 or 12 numbers with commas") from None
    if len(values) not in (1, 12) or not all(0 <= value <= 15 for value in values):
        raise UserError("--sun-kwh: 1 or 12 numbers from 0 to 15")
    return values * (12 // len(values))


def _panel(args: argparse.Namespace, peak_w: float) -> Panel:
    _within(peak_w, "--panel-w", 0.1, 1000)
    _within(args.tilt, "--tilt", 0, 90)
    _within(args.shade_pct, "--shade-pct", 0, 99)
    tilt = best_tilt(args.latitude) if args.tilt is None else args.tilt
    return Panel(peak_w, tilt, args.shade_pct / 100)


def _dark_days(args: argparse.Namespace) -> int:
    _within(args.dark_days, "--dark-days", 0, 28)
    return int(args.dark_days)


def _within(value: float | None, option: str, least: float, most: float) -> None:
    if value is not None and not (math.isfinite(value) and least <= value <= most):
        raise UserError(f"{option} must be from {least:g} to {most:g}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
