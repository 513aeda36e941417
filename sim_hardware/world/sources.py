# SPDX-License-Identifier: MIT
"""Ground layer: all kinds of nuisances by name, and their entries in truth.json."""

import math
from collections.abc import Callable, Iterable

from sim_hardware.world.arrivals import ARRIVALS, Arrivals, arrival_conditions
from sim_hardware.world.machines import Helicopter, Pump
from sim_hardware.world.nuisance import NuisanceSpec, Place, Source, condition
from sim_hardware.world.rumble import Road, Tree

_MACHINES: dict[str, Callable[[NuisanceSpec, Place], Source]] = {
    "helicopter": Helicopter,
    "pump": Pump,
    "road": Road,
    "tree": Tree,
}
NUISANCES = (*ARRIVALS, *_MACHINES)
ON_A_PATH = ("helicopter", "road")


def make_sources(specs: Iterable[NuisanceSpec], place: Place) -> list[Source]:
    """The sources of all nuisances at one node."""
    return [_MACHINES.get(spec.kind, Arrivals)(spec, place) for spec in specs]


def nuisance_conditions(
    specs: Iterable[NuisanceSpec], middle: Place, duration_s: float
) -> list[dict[str, object]]:
    """One entry for each event; one for each machine or tree, from its start to the end."""
    found: list[dict[str, object]] = []
    for spec in specs:
        if spec.kind in ARRIVALS:
            found += arrival_conditions(spec, middle, duration_s)
        elif spec.start_s < duration_s:
            end_s = duration_s
            if spec.kind == "helicopter":
                end_s = min(duration_s, spec.start_s + _flight_s(spec))
            found.append(condition(spec, spec.start_s, end_s, spec.level_nm_s))
    return found


def _flight_s(spec: NuisanceSpec) -> float:
    length_m = sum(
        math.hypot(x1 - x0, y1 - y0)
        for (x0, y0), (x1, y1) in zip(spec.path[:-1], spec.path[1:], strict=True)
    )
    return length_m / (spec.speed_m_s or 50.0)
