# SPDX-License-Identifier: MIT
"""Ground room: when and how hard the feet of walkers and animals strike.

A walker: step period with 2..4 % jitter, left and right 2..5 % apart in time and up to 1.5 dB in
force, heel pulse 5..30 % of body weight (Ekimov and Sabatier, JASA 129, 1306). A quadruped: four
feet with the phase lags of its gait, fore feet carrying 55..60 %.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim_hardware.world.soil import Strike

GRAVITY_M_S2 = 9.81
_GAIT_LAGS = {"walk": (0.0, 0.25, 0.5, 0.75), "trot": (0.0, 0.5, 0.0, 0.5)}


@dataclass(frozen=True)
class Steps:
    """Strike times (s from the start of the path) and factors on the strike's force."""

    t_s: NDArray[np.float64]
    force: NDArray[np.float64]
    strike: Strike


def _force(rng: np.random.Generator, count: int, spread_db: float) -> NDArray[np.float64]:
    return np.asarray(10 ** (rng.normal(0, spread_db, count) / 20))


def walk(
    rng: np.random.Generator, duration_s: float, cadence_hz: float, heel: float | None
) -> Steps:
    """A person's steps. `heel`: peak of the heel pulse as a share of body weight, or drawn."""
    weight_n = GRAVITY_M_S2 * rng.normal(76, 10)
    if heel is None:
        heel = math.exp(rng.normal(math.log(0.15), 0.35))
    count = int(duration_s * cadence_hz * 1.2) + 4
    period_s = 1 / cadence_hz
    uneven = rng.uniform(0.02, 0.05) * rng.choice([-1, 1]) / 2
    side = np.where(np.arange(count) % 2, 1.0, -1.0)
    gaps = (
        period_s * (1 + uneven * side) * (1 + rng.uniform(0.02, 0.04) * rng.standard_normal(count))
    )
    t = rng.uniform(0, period_s) + np.cumsum(gaps)
    force = _force(rng, count, 2.0) * 10 ** (side * rng.uniform(0, 1.5) / 40)
    strike = Strike(heel * weight_n, rng.uniform(0.014, 0.028), toe_off=rng.uniform(0.1, 0.3))
    keep = t < duration_s
    return Steps(t[keep], force[keep], strike)


def quadruped(
    rng: np.random.Generator, duration_s: float, stride_hz: float, mass_kg: float, gait: str
) -> Steps:
    """An animal's footfalls; `gait` is walk or trot."""
    strides = int(duration_s * stride_hz * 1.2) + 2
    period_s = 1 / stride_hz
    base = np.cumsum(period_s * (1 + 0.04 * rng.standard_normal(strides)))
    times, forces = [], []
    fore = rng.uniform(0.55, 0.6)
    for foot, lag in enumerate(_GAIT_LAGS[gait]):
        times.append(base + (lag + 0.02 * rng.standard_normal(strides)) * period_s)
        share = fore if foot % 2 else 1 - fore
        forces.append(2 * share * _force(rng, strides, 2.5))
    t = np.concatenate(times)
    order = np.argsort(t, kind="stable")
    t, force = t[order], np.concatenate(forces)[order]
    strike = Strike(0.12 * mass_kg * GRAVITY_M_S2, rng.uniform(0.015, 0.03))
    keep = (t >= 0) & (t < duration_s)
    return Steps(t[keep], force[keep], strike)


def dig(rng: np.random.Generator, duration_s: float, rate_hz: float) -> Steps:
    """Strikes of a spade or pick with pauses every 5..15 strokes."""
    t, now, left = [], rng.uniform(0, 1), int(rng.integers(5, 16))
    while now < duration_s:
        t.append(now)
        now += (1 + 0.12 * rng.standard_normal()) / rate_hz
        left -= 1
        if left == 0:
            now += rng.uniform(2, 8)
            left = int(rng.integers(5, 16))
    strike = Strike(rng.uniform(200, 800), rng.uniform(0.03, 0.08), toe_off=0.2, toe_off_s=0.5)
    return Steps(np.array(t), _force(rng, len(t), 2.0), strike)
