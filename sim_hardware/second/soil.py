# SPDX-License-Identifier: MIT
"""Ground layer: layered soil of the second family: speed and loss of waves.

Shear velocity grows as a power of depth down to a stiff layer. A Rayleigh wave of one frequency
travels at the mean of it over the depth that its wavelength samples (Jones 1962; Heisey 1982).
"""

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from sim_hardware.second.parameters import draw, value

Array = NDArray[np.float64]
_GRID_HZ = np.geomspace(0.5, 300.0, 161)
_DEPTH_M = np.geomspace(0.02, 400.0, 400)
_ROUNDS = 40


@dataclass(frozen=True)
class Soil:
    """A profile of shear velocity, and the loss at 20 Hz with its growth with frequency."""

    top_m_s: float
    power: float
    rock_depth_m: float
    rock_m_s: float
    density_kg_m3: float
    q_20_hz: float
    q_power: float
    second_share: float
    second_speed: float

    def shear_m_s(self, depth_m: Array) -> Array:
        """Shear velocity (n,) at (n,) depths."""
        grown = self.top_m_s * (1 + depth_m / value("soil.reference_depth_m")) ** self.power
        soft = depth_m < self.rock_depth_m
        return np.where(soft, np.minimum(grown, self.rock_m_s), self.rock_m_s)

    def phase_m_s(self, f_hz: Array) -> Array:
        """Phase velocity (n,) of the fundamental Rayleigh mode at (n,) frequencies."""
        shear = self.shear_m_s(_DEPTH_M)
        share = value("soil.rayleigh_share")
        reach = value("soil.sampling_depth_wavelengths")
        speed: Array = np.full(_GRID_HZ.size, share * self.rock_m_s)
        width = np.gradient(_DEPTH_M)
        for _ in range(_ROUNDS):
            wavelength = speed / _GRID_HZ
            weight = np.exp(-_DEPTH_M / (reach * wavelength[:, None])) * width
            speed = 0.5 * (speed + share * (weight @ shear) / weight.sum(axis=1))
        return np.interp(f_hz, _GRID_HZ, speed)

    def group_m_s(self, f_hz: Array) -> Array:
        """Group velocity (n,) at (n,) frequencies: d omega / d k."""
        wavenumber = 2 * pi * _GRID_HZ / self.phase_m_s(_GRID_HZ)
        return np.interp(f_hz, _GRID_HZ, np.gradient(2 * pi * _GRID_HZ, wavenumber))

    def quality(self, f_hz: Array) -> Array:
        """Q (n,) at (n,) frequencies."""
        return np.asarray(self.q_20_hz * (np.maximum(f_hz, 1.0) / 20.0) ** self.q_power, np.float64)


def drawn(rng: np.random.Generator) -> Soil:
    """A soil from the ranges of parameters.toml."""
    return Soil(
        draw(rng, "soil.shear_top_m_s"),
        draw(rng, "soil.shear_depth_power"),
        draw(rng, "soil.rock_depth_m"),
        draw(rng, "soil.rock_m_s"),
        draw(rng, "soil.density_kg_m3"),
        draw(rng, "soil.q_20_hz"),
        draw(rng, "soil.q_power"),
        draw(rng, "soil.second_mode_share"),
        draw(rng, "soil.second_mode_speed"),
    )
