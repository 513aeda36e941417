# SPDX-License-Identifier: MIT
"""Workbench: the smallest battery that bridges dark days, and the smallest panel that keeps it."""

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
    """The smallest battery that bridges `days` without sun, and the smallest panel that keeps it.

    A larger battery is chosen only where no panel is enough, e.g. where it is too cold to charge
    for weeks. Raises UserError when none carries the load.
    """
    coldest = min(sky.mean_c)
    for amp_hours in BATTERIES_AH:
        pack = Pack(kind, amp_hours)
        if pack.usable_wh(coldest) < load_wh * days:
            continue
        # The largest panel first: where it is not enough, no smaller one is.
        if not simulate(load_wh, pack, sky, Panel(PANELS_W[-1], tilt_deg, shaded), days).survives:
            continue
        for peak_w in PANELS_W:
            panel = Panel(peak_w, tilt_deg, shaded)
            year = simulate(load_wh, pack, sky, panel, days)
            if year.survives:
                return Sized(panel, pack, year)
    raise UserError(
        f"no panel up to {PANELS_W[-1]:g} W with {kind} up to {BATTERIES_AH[-1]:g} Ah carries "
        f"{load_wh:.2f} Wh a day there; take another mode or another battery"
    )
