# SPDX-License-Identifier: MIT
"""Ground layer: blows without a target: knocks near the nodes, rockfall, and a pump's beat."""

import numpy as np

from sim_hardware.second.parameters import draw, value
from sim_hardware.second.strike import FORCE_FS_HZ, Strike, moving, pulse
from sim_hardware.second.track import Point, standing


def knocks(
    duration_s: float, corner: Point, opposite: Point, rng: np.random.Generator
) -> list[Strike]:
    """Single blows at random times and places of a rectangle."""
    out = []
    t_s = rng.exponential(value("knock.gap_s"))
    while t_s < duration_s:
        force = pulse(draw(rng, "knock.impulse_n_s"), draw(rng, "knock.contact_s"))
        x_m = rng.uniform(corner[0], opposite[0])
        y_m = rng.uniform(corner[1], opposite[1])
        out.append(Strike(float(t_s), float(x_m), float(y_m), force))
        t_s += rng.exponential(value("knock.gap_s"))
    return out


def rockfall(start_s: float, centre: Point, rng: np.random.Generator) -> list[Strike]:
    """One fall of rocks on a slope in a random direction from a point: many unequal blows."""
    out = []
    angle, far_m = rng.uniform(0, 2 * np.pi), draw(rng, "rockfall.distance_m")
    x_m, y_m = centre[0] + far_m * np.cos(angle), centre[1] + far_m * np.sin(angle)
    length_s = draw(rng, "rockfall.length_s")
    for _ in range(round(draw(rng, "rockfall.impacts"))):
        # Few large blocks, many small: the square favours small ones.
        share = float(rng.uniform()) ** 2
        force = pulse(share * draw(rng, "rockfall.impulse_n_s"), draw(rng, "rockfall.contact_s"))
        at_s = start_s + length_s * rng.beta(1.5, 3.0)
        aside = 5.0 * rng.normal(size=2)
        out.append(Strike(float(at_s), float(x_m + aside[0]), float(y_m + aside[1]), force))
    return out


def pump(duration_s: float, place: Point, rng: np.random.Generator) -> list[Strike]:
    """A machine's line and its second harmonic that switches on and off at a place."""
    line_hz, force_n = draw(rng, "pump.line_hz"), draw(rng, "pump.force_n")
    second = value("pump.second_share")
    out: list[Strike] = []
    t_s = rng.uniform(0.0, draw(rng, "pump.on_s"))
    while t_s < duration_s:
        on_s = draw(rng, "pump.on_s")
        times = np.arange(round(on_s * FORCE_FS_HZ)) / FORCE_FS_HZ
        # The rotor runs up and down in about a second.
        speed = line_hz * np.minimum(1.0, np.minimum(times, on_s - times) + 0.05)
        turn = 2 * np.pi * np.cumsum(speed) / FORCE_FS_HZ
        unbalance = (speed / line_hz) ** 2 * force_n
        force = unbalance * (np.sin(turn) + second * np.sin(2 * turn + 1.0))
        out += moving(force, float(t_s), standing(float(t_s), float(t_s) + on_s, place))
        t_s += on_s + draw(rng, "pump.on_s")
    return out
