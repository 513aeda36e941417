# SPDX-License-Identifier: MIT
"""Ground room: what a passing vehicle does to one geophone.

Wheel hop around 8..15 Hz driven by road roughness, and the engine's firing frequency with its
harmonics, under an envelope that falls with distance.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from sim_hardware.world.geophone import FS_HZ

FArray = NDArray[np.float64]
_SPREAD = 0.9  # amplitude over distance to this power: broadband exponents exceed the 0.5 of theory
_LOSS_PER_M = 0.012


class Hum:
    """One vehicle at one node; `second` continues where the last one ended."""

    def __init__(self, rng: np.random.Generator, level_nm_s: float, gain: float) -> None:
        self._rng = rng
        self._hop = signal.butter(2, [7, rng.uniform(13, 20)], "band", fs=FS_HZ, output="sos")
        self._state = np.zeros((self._hop.shape[0], 2))
        self._firing_hz = rng.uniform(25, 55)
        self._phase = rng.uniform(0, 2 * math.pi)
        self._level = level_nm_s * gain

    def second(self, distance_m: FArray) -> FArray:
        """FS_HZ samples in nm/s; `distance_m` has as many."""
        noise = self._rng.standard_normal(FS_HZ)
        hop, self._state = signal.sosfilt(self._hop, noise, zi=self._state)
        phase = self._phase + 2 * math.pi * self._firing_hz * np.arange(1, FS_HZ + 1) / FS_HZ
        self._phase = float(phase[-1] % (2 * math.pi))
        self._firing_hz = float(
            np.clip(self._firing_hz + 0.4 * self._rng.standard_normal(), 20, 80)
        )
        engine = np.sin(phase) + 0.5 * np.sin(2 * phase)
        far = np.maximum(distance_m, 3.0)
        fall = (far / 10) ** -_SPREAD * np.exp(-_LOSS_PER_M * (far - 10))
        return np.asarray(self._level * fall * (3.2 * hop + 0.35 * engine))
