# SPDX-License-Identifier: MIT
"""Workbench: the smallest panel that carries a load through the year, and its smallest battery."""

from __future__ import annotations

from dataclasses import dataclass

from tools.errors import UserError
from tools.power.battery import Pack
from tools.power.sun import Sky
from tools.power.year import Panel, Year, simulate

# Sizes that are sold.
PANELS_W = (1.0, 2.0, 3.0, 5.0, 6.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 100.0)
BATTERIES_AH = (1.5, 3.0, 4.5, 6.0, 7.0, 9.0, 12.0, 18.0, 24.0, 36.0, 50.0, 75.0, 100.0, 200.0)


@dataclass(frozen=True)
class Sized:
    """What was chosen, and its year."""

    panel: Panel
    pack: Pack
    year: Year


def size(load_wh: float, kind: str, sky: Sky, tilt_deg: float, shaded: float, days: int) -> Sized:
    """Smallest panel first, then smallest battery. Raises UserError when none carries it."""
    for peak_w in PANELS_W:
        panel = Panel(peak_w, tilt_deg, shaded)
        fitting = _smallest_battery(load_wh, kind, sky, panel, days)
        if fitting is not None:
            return fitting
    raise UserError(
        f"no panel up to {PANELS_W[-1]:g} W with {kind} up to {BATTERIES_AH[-1]:g} Ah carries "
        f"{load_wh:.2f} Wh a day there; take another mode or another battery"
    )


def _smallest_battery(load_wh: float, kind: str, sky: Sky, panel: Panel, days: int) -> Sized | None:
    # A battery that is too small for a year stays so when it is made smaller: from above downwards.
    fitting = None
    for amp_hours in reversed(BATTERIES_AH):
        pack = Pack(kind, amp_hours)
        year = simulate(load_wh, pack, sky, panel, days)
        if not year.survives:
            break
        fitting = Sized(panel, pack, year)
    return fitting
