# SPDX-License-Identifier: MIT
"""Ground layer: forces under the hooves and paws of horse, cow, deer, dog and boar.

Each limb has its phase in the stride (Hildebrand 1965). Its peak force follows from its share of
the weight and from the part of the stride it stands (Alexander 1979; Witte et al. 2004).
"""

from dataclasses import dataclass

import numpy as np

from sim_hardware.errors import SimError
from sim_hardware.second.gait import GRAVITY, Stance
from sim_hardware.second.parameters import draw, known, value, values
from sim_hardware.second.strike import Strike
from sim_hardware.second.track import Track

SPECIES = ("horse", "cow", "deer", "dog", "boar")
GAITS = ("walk", "trot", "canter")
_PADDED = ("dog",)


@dataclass(frozen=True)
class Animal:
    """One animal in one gait. Loads in newton, times in seconds."""

    species: str
    gait: str
    mass_kg: float
    stride_hz: float
    duty: float
    impact: float
    impact_s: float

    @property
    def height_m(self) -> float:
        """Height at the withers."""
        return float(value("gait.height_coefficient_m") * self.mass_kg ** (1 / 3))

    @property
    def speed_m_s(self) -> float:
        """Stride length of the gait times stride frequency."""
        return value(f"gait.{self.gait}_stride") * self.height_m * self.stride_hz

    def stance(self, fore: bool) -> Stance:
        """The stance of one limb in weights of the animal."""
        share = value("quadruped.fore_share")
        share = share / 2 if fore else (1 - share) / 2
        # Mean over the stride is the share: a half sine has 2 / pi of its peak.
        third = value("quadruped.walk_third") if self.gait == "walk" else 0.0
        peak = np.pi * share / (2 * self.duty) / (1 + third / 3)
        contact = self.duty / self.stride_hz
        return Stance(contact, peak, third * peak, self.impact * peak, self.impact_s)


def gaits(species: str) -> tuple[str, ...]:
    """The gaits of a species. Raises SimError for one that is unknown."""
    if species not in SPECIES:
        raise SimError(f"species {species} is unknown; known: {', '.join(SPECIES)}")
    return tuple(gait for gait in GAITS if known(f"{species}.{gait}_hz"))


def animal(species: str, gait: str, rng: np.random.Generator) -> Animal:
    """An animal drawn from the ranges of parameters.toml."""
    if gait not in gaits(species):
        raise SimError(f"{species} has no {gait}; it has: {', '.join(gaits(species))}")
    foot = "paw" if species in _PADDED else "hoof"
    softer = value("quadruped.walk_impact") if gait == "walk" else 1.0
    return Animal(
        species,
        gait,
        draw(rng, f"{species}.mass_kg"),
        draw(rng, f"{species}.{gait}_hz"),
        value(f"gait.{gait}_duty"),
        softer * draw(rng, f"quadruped.{foot}_share"),
        draw(rng, "quadruped.impact_width_s"),
    )


def hoofbeats(one: Animal, track: Track, rng: np.random.Generator) -> list[Strike]:
    """The strikes of an animal along a track."""
    strikes: list[Strike] = []
    weight, jitter = one.mass_kg * GRAVITY, value("quadruped.jitter")
    scatter = value("gait.limb_scatter")
    stride_s, t_s = 1 / one.stride_hz, track.start_s
    half_m, side_m = 0.4 * one.height_m, 0.1 * one.height_m
    while t_s < track.end_s:
        for limb, phase in enumerate(values(f"gait.{one.gait}_phases")):
            fore, left = limb % 2 == 1, limb < 2
            at_s = t_s + (phase + scatter * float(rng.normal())) * stride_s
            x_m, y_m = track.at(np.array([at_s]))
            bearing = float(track.bearing_rad(np.array([at_s]))[0])
            ahead, aside = half_m if fore else -half_m, side_m if left else -side_m
            x = float(x_m[0]) + ahead * np.cos(bearing) - aside * np.sin(bearing)
            y = float(y_m[0]) + ahead * np.sin(bearing) + aside * np.cos(bearing)
            load = weight * (1 + jitter * float(rng.normal()))
            strikes.append(Strike(at_s, float(x), float(y), one.stance(fore).force(load)))
        t_s += stride_s * max(0.5, 1 + jitter * float(rng.normal()))
    return strikes
