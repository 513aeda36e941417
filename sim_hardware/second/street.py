# SPDX-License-Identifier: MIT
"""Ground layer: a street beside the nodes: cars, an occasional truck, people on the pavement."""

import numpy as np

from sim_hardware.second.actor import Actor
from sim_hardware.second.parameters import draw
from sim_hardware.second.plan import Plan
from sim_hardware.second.track import straight

_HALF_M = 200.0
_PAVEMENT_M = 4.0


def street(plan: Plan, seconds: float, rng: np.random.Generator) -> tuple[Actor, ...]:
    """Actors that arrive one by one on a street parallel to the line, either way."""
    middle = (plan.line[0][0] + plan.line[-1][0]) / 2
    away_m = -draw(rng, "street.distance_m")
    actors = []
    at_s, count = 1.0, 0
    while at_s < seconds - 8.0:
        kind = "truck" if rng.uniform() < 0.15 else "car"
        speed, way = draw(rng, "street.speed_m_s"), float(rng.choice((-1.0, 1.0)))
        begin = (middle - way * _HALF_M, away_m - way * 1.75)
        end = (middle + way * _HALF_M, away_m - way * 1.75)
        count += 1
        track = straight(at_s, begin, end, speed)
        actors.append(Actor(f"{kind}{count}", kind, track, manner="b"))
        at_s += rng.exponential(draw(rng, "street.gap_s"))
    for walker in range(int(rng.integers(1, 4))):
        speed, way = draw(rng, "walk.speed_m_s"), float(rng.choice((-1.0, 1.0)))
        start_m = float(rng.uniform(-40.0, 0.0))
        long_m = speed * (seconds - 4.0)
        side_m = away_m + _PAVEMENT_M * float(rng.choice((-1.0, 1.0)))
        begin = (middle + way * start_m, side_m)
        end = (middle + way * (start_m + long_m), side_m)
        actors.append(Actor(f"walker{walker + 1}", "walk", straight(2.0, begin, end, speed)))
    return tuple(actors)
