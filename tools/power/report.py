# SPDX-License-Identifier: MIT
"""Workbench: a power budget and a year as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict

from tools.power.battery import Pack
from tools.power.budget import Budget
from tools.power.facts import board_named
from tools.power.sun import MONTH_DAYS
from tools.power.year import Panel, Year

NOT_MEASURED = "computed from the figures below; nothing of this was measured on metal by us"


def budget_facts(spent: Budget) -> dict[str, object]:
    """The keys of a budget in `--json`."""
    return {
        "board": spent.board,
        "use": asdict(spent.use),
        "mean_mw": round(spent.mw, 4),
        "wh_per_day": round(spent.wh_per_day, 5),
        "rows": [asdict(row) for row in spent.rows],
        "measured_on_metal": False,
    }


def year_facts(pack: Pack, panel: Panel, year: Year) -> dict[str, object]:
    """The keys of a year in `--json`."""
    spare = [held - floor for held, floor in zip(year.charge, year.floor, strict=True)]
    return {
        "battery": str(pack),
        "panel_w": panel.peak_w,
        "tilt_deg": panel.tilt_deg,
        "survives": year.survives,
        "days_off": year.empty_days,
        "worst_week": year.worst_week,
        "least_spare": round(max(0.0, min(spare)), 4),
        "harvest_wh_per_day": [round(wh, 3) for wh in monthly(year.harvest_wh)],
        "charge": [round(held, 4) for held in year.charge],
    }


def monthly(days: tuple[float, ...]) -> list[float]:
    """Twelve means from 365 values."""
    means, at = [], 0
    for length in MONTH_DAYS:
        means.append(sum(days[at : at + length]) / length)
        at += length
    return means


def text(spent: Budget, found: dict[str, object]) -> str:
    """The text for a terminal."""
    board = board_named(spent.board)
    mode = (
        spent.use.mode if spent.use.mode == "sentinel" else f"continuous, radio {spent.use.radio}"
    )
    lines = [f"{board.title}, {mode}: {NOT_MEASURED}", ""]
    width = max(len(row.title) for row in spent.rows)
    for row in spent.rows:
        lines.append(f"  {row.title:<{width}}  {row.mw:9.3f} mW  {row.kind:<10}  {row.source}")
    lines.append(f"  {'together':<{width}}  {spent.mw:9.3f} mW  {spent.wh_per_day:.3f} Wh a day")
    return "\n".join([*lines, *_found(found)])


def _found(found: dict[str, object]) -> list[str]:
    if "survives" in found:
        verdict = "runs all year" if found["survives"] else f"is OFF on {found['days_off']} days"
        panel = f"{found['panel_w']:g} W panel at {found['tilt_deg']:.0f} degrees"
        harvest = found["harvest_wh_per_day"]
        assert isinstance(harvest, list)
        months = " ".join(f"{wh:.1f}" for wh in harvest)
        return [
            "",
            f"{panel} with {found['battery']}: the node {verdict}",
            f"worst week: {found['worst_week']}",
            f"least to spare in the year: {found['least_spare']:.0%} of the battery",
            f"the panel gives, Wh a day from January: {months}",
        ]
    if "days" in found:
        return ["", f"{found['battery']}: {found['days']} days from 1 January"]
    if "days_without_sun" in found:
        return ["", f"{found['battery']}: {found['days_without_sun']} days at 20 C without a panel"]
    return []
