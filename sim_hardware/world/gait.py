# SPDX-License-Identifier: MIT
"""Ground layer: times and forces of the footfalls of walkers and animals.

A walker: step period with 2..4 % jitter, left and right 2..5 % apart in time and up to 1.5 dB in
force, heel pulse 5..30 % of body weight (Ekimov and Sabatier, JASA 129, 1306). A quadruped: four
feet with the phase lags of its gait, fore feet carrying 55..60 %.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sim_hardware.world.kinds import Kind
from sim_hardware.world.soil import Strike

GRAVITY_M_S2 = 9.81
_SCRAPES = 3
# left hind, left fore, right hind, right fore; a trot pairs them across, a canter has three beats
_GAIT_LAGS = {
    "walk": (0.0, 0.25, 0.5, 0.75),
    "trot": (0.0, 0.5, 0.5, 0.0),
    "canter": (0.0, 0.33, 0.33, 0.66),
}
GAITS = tuple(_GAIT_LAGS)


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
    t, force = _pace(rng, duration_s, cadence_hz, None)
    strike = Strike(heel * weight_n, rng.uniform(0.014, 0.028), toe_off=rng.uniform(0.1, 0.3))
    keep = t < duration_s
    return Steps(t[keep], force[keep], strike)


def paced(
    rng: np.random.Generator, duration_s: float, cadence_hz: float, kind: Kind, heel: float
) -> Steps:
    """Steps of a kind of walking, running or sneaking; `heel` 0: drawn from the kind's span.

    The slow humps of a walk's ground reaction (two of 1.0..1.5 weights in 0.6 s) end below 4 Hz and
    are left out. A run has one of 2..3 weights in 0.25 s (Nilsson & Thorstensson); a kind with
    `active` has it.
    """
    weight_n = GRAVITY_M_S2 * float(np.clip(rng.normal(kind.mass_kg, 10), 45, 120))
    low, high = np.log(kind.heel)
    drawn = math.exp(np.clip(rng.normal((low + high) / 2, (high - low) / 2), low - 0.4, high + 0.4))
    t, force = _pace(rng, duration_s, cadence_hz, kind.jitter)
    strike = Strike(
        (heel or drawn) * weight_n, rng.uniform(*kind.width_s), toe_off=rng.uniform(0.1, 0.3)
    )
    if kind.active[1]:
        active_n = weight_n * rng.uniform(*kind.active)
        strike = replace(strike, active_n=active_n, active_s=rng.uniform(0.09, 0.13))
    keep = t < duration_s
    return Steps(t[keep], force[keep], strike)


def _pace(
    rng: np.random.Generator, duration_s: float, cadence_hz: float, jitter: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times and factors of steps, left and right unlike; `jitter` None: 2..4 %."""
    count = int(duration_s * cadence_hz * 1.2) + 4
    period_s = 1 / cadence_hz
    uneven = rng.uniform(0.02, 0.05) * rng.choice([-1, 1]) / 2
    side = np.where(np.arange(count) % 2, 1.0, -1.0)
    if jitter is None:
        jitter = rng.uniform(0.02, 0.04)
    gaps = period_s * (1 + uneven * side) * np.maximum(0.4, 1 + jitter * rng.standard_normal(count))
    t = rng.uniform(0, period_s) + np.cumsum(gaps)
    return t, _force(rng, count, 2.0) * 10 ** (side * rng.uniform(0, 1.5) / 40)


def quadruped(
    rng: np.random.Generator,
    duration_s: float,
    stride_hz: float,
    mass_kg: float,
    gait: str,
    *,
    jitter: float = 0.04,
    width_s: tuple[float, float] = (0.015, 0.03),
) -> Steps:
    """An animal's footfalls; `gait` is one of GAITS."""
    strides = int(duration_s * stride_hz * 1.2) + 2
    period_s = 1 / stride_hz
    base = np.cumsum(period_s * (1 + jitter * rng.standard_normal(strides)))
    times, forces = [], []
    fore = rng.uniform(0.55, 0.6)
    for foot, lag in enumerate(_GAIT_LAGS[gait]):
        times.append(base + (lag + 0.02 * rng.standard_normal(strides)) * period_s)
        share = fore if foot % 2 else 1 - fore
        forces.append(2 * share * _force(rng, strides, 2.5))
    t = np.concatenate(times)
    order = np.argsort(t, kind="stable")
    t, force = t[order], np.concatenate(forces)[order]
    strike = Strike(0.12 * mass_kg * GRAVITY_M_S2, rng.uniform(*width_s))
    keep = (t >= 0) & (t < duration_s)
    return Steps(t[keep], force[keep], strike)


def dig(rng: np.random.Generator, duration_s: float, rate_hz: float) -> Steps:
    """Strokes of a spade or pick with pauses every 5..15 strokes."""
    t = _strokes(rng, duration_s, rate_hz, 0.12)
    strike = Strike(rng.uniform(200, 800), rng.uniform(0.03, 0.08), toe_off=0.2, toe_off_s=0.5)
    return Steps(t, _force(rng, t.size, 2.0), strike)


def dig_with(
    rng: np.random.Generator, duration_s: float, rate_hz: float, kind: Kind
) -> tuple[Steps, ...]:
    """The strikes of one tool, the scrapes after them in a few alternating variants, and the thud
    of the soil that a shovel throws."""
    t = _strokes(rng, duration_s, rate_hz, kind.jitter)
    strike = Strike(rng.uniform(*kind.newton), rng.uniform(*kind.width_s), toe_off=0.2)
    scrape_n = rng.uniform(*kind.scrape_n)
    late = t + rng.uniform(0.08, 0.2) + 0.05 * rng.random(t.size)
    variant = rng.integers(0, _SCRAPES, t.size)
    force = _force(rng, t.size, 3.0)
    scrapes = [
        Steps(
            late[variant == i],
            force[variant == i],
            Strike(scrape_n, rng.uniform(0.2, 0.5), drag_seed=int(rng.integers(1, 2**31))),
        )
        for i in range(_SCRAPES)
    ]
    work = (Steps(t, _force(rng, t.size, 2.0), strike), *scrapes)
    if not kind.throw[1]:
        return work
    thud = Strike(strike.newton * rng.uniform(*kind.throw), rng.uniform(0.03, 0.12))
    lands = t + rng.uniform(0.35, 0.65) / rate_hz
    lands = lands[lands < duration_s]
    return *work, Steps(lands, _force(rng, lands.size, 3.0), thud)


def _strokes(
    rng: np.random.Generator, duration_s: float, rate_hz: float, jitter: float
) -> NDArray[np.float64]:
    t, now, left = [], rng.uniform(0, 1), int(rng.integers(5, 16))
    while now < duration_s:
        t.append(now)
        now += max(0.3, 1 + jitter * rng.standard_normal()) / rate_hz
        left -= 1
        if left == 0:
            now += rng.uniform(2, 8)
            left = int(rng.integers(5, 16))
    return np.array(t)
