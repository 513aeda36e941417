# SPDX-License-Identifier: MIT
"""Ground layer: forces under people who walk, run or sneak, alone or in groups.

A footfall is the vertical ground reaction force of one stance: half sines for the body, and a
short transient of the heel. Steps follow each other with the jitter of people.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim_hardware.errors import SimError
from sim_hardware.second.parameters import draw, value
from sim_hardware.second.strike import FORCE_FS_HZ, Strike
from sim_hardware.second.track import Track

Array = NDArray[np.float64]
GRAVITY = 9.81
STYLES = ("walk", "run", "sneak")


@dataclass(frozen=True)
class Stance:
    """One stance: contact time, half sines of order 1 and 3 and the heel, all in body weights."""

    contact_s: float
    first: float
    third: float
    heel: float
    heel_s: float

    def force(self, weight_n: float) -> Array:
        """(n,) newton at FORCE_FS_HZ, never below zero."""
        samples = round(self.contact_s * FORCE_FS_HZ)
        t_s = (np.arange(samples) + 0.5) / FORCE_FS_HZ
        turn = np.pi * t_s / self.contact_s
        body = self.first * np.sin(turn) + self.third * np.sin(3 * turn)
        # A Gaussian whose width at half height is heel_s, 1.2 widths after contact.
        spread = self.heel_s / 2.355
        heel = self.heel * np.exp(-0.5 * ((t_s - 1.2 * self.heel_s) / spread) ** 2)
        return np.asarray(weight_n * np.maximum(body + heel, 0.0), np.float64)


@dataclass(frozen=True)
class Gait:
    """A person's gait: cadence in steps a second, stance, irregularities."""

    cadence_hz: float
    stance: Stance
    weight_n: float
    jitter: float
    asymmetry: float
    width_m: float


def person_gait(style: str, rng: np.random.Generator, cadence_hz: float | None = None) -> Gait:
    """A person drawn from the ranges of parameters.toml; style is one of STYLES."""
    if style not in STYLES:
        raise SimError(f"gait {style} is unknown; known: {', '.join(STYLES)}")
    cadence = draw(rng, f"{style}.cadence_hz") if cadence_hz is None else cadence_hz
    heel_s = draw(rng, "walk.heel_width_s")
    if style == "run":
        duty = draw(rng, "run.duty")
        # Over a step the ground carries the weight: a half sine has 2 / pi of its peak.
        peak = np.pi / (4 * duty)
        stance = Stance(duty * 2 / cadence, peak, 0.0, draw(rng, "run.impact_share"), heel_s)
    else:
        heel = draw(rng, f"{style}.heel_share")
        contact = value("walk.duty") * 2 / cadence
        stance = Stance(
            contact, value("walk.first_harmonic"), value("walk.third_harmonic"), heel, heel_s
        )
    return Gait(
        cadence,
        stance,
        draw(rng, "person.mass_kg") * GRAVITY,
        draw(rng, "walk.jitter"),
        draw(rng, "walk.asymmetry"),
        value("walk.step_width_m"),
    )


def footfalls(gait: Gait, track: Track, rng: np.random.Generator) -> list[Strike]:
    """The strikes of one person along a track."""
    strikes: list[Strike] = []
    step_s = 1 / gait.cadence_hz
    t_s, foot = track.start_s + rng.uniform(0.0, step_s), 1
    while t_s < track.end_s:
        weight = gait.weight_n * (1 + foot * gait.asymmetry / 2 + gait.jitter * rng.normal())
        x_m, y_m = track.at(np.array([t_s]))
        bearing = float(track.bearing_rad(np.array([t_s]))[0])
        aside = foot * gait.width_m / 2
        x, y = float(x_m[0]) - aside * np.sin(bearing), float(y_m[0]) + aside * np.cos(bearing)
        strikes.append(Strike(float(t_s), float(x), float(y), gait.stance.force(weight)))
        t_s += step_s * max(0.5, 1 + gait.jitter * rng.normal())
        foot = -foot
    return strikes


def group(style: str, count: int, track: Track, rng: np.random.Generator) -> list[Strike]:
    """The strikes of `count` people who follow one track in a loose file."""
    if count < 2:
        raise SimError(f"a group needs two people or more, not {count}")
    strikes: list[Strike] = []
    (t0, x0, y0), (t1, x1, y1) = track.corners[:2]
    speed = float(np.hypot(x1 - x0, y1 - y0)) / (t1 - t0)
    pace = draw(rng, f"{style}.cadence_hz")
    late_s = 0.0
    for _ in range(count):
        cadence = max(0.5, pace + value("group.cadence_sd_hz") * float(rng.normal()))
        aside = value("group.side_m") * rng.normal(size=2)
        own = track.shifted(late_s, float(aside[0]), float(aside[1]))
        strikes += footfalls(person_gait(style, rng, cadence), own, rng)
        late_s += draw(rng, "group.spacing_m") / max(speed, 0.1)
    return strikes
