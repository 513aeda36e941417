# SPDX-License-Identifier: MIT
"""Ground layer: the signal of a passing vehicle at one geophone.

Wheel hop around 8..15 Hz driven by road roughness (ISO 8608; Krylov et al., JSV 329, 3020), each
axle over the same bumps one after another; the engine's firing frequency with its harmonics; and
the beat of lugs or track links, speed over pitch (Altmann, JSV 273, 713). Under an envelope that
falls with distance. Body bounce at 1..3 Hz is below the band of the geophone.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from sim_hardware.world.geophone import FS_HZ
from sim_hardware.world.kinds import Kind

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
        return np.asarray(self._level * fall(distance_m) * (3.2 * hop + 0.35 * engine))


class AxleVehicle:
    """One vehicle of a kind at one node; `second` continues where the last one ended."""

    def __init__(
        self, rng: np.random.Generator, kind: Kind, level_nm_s: float, speed_m_s: float, gain: float
    ) -> None:
        self._rng = rng
        low_hz = rng.uniform(7.5, 9.5)
        self._hop = signal.butter(2, [low_hz, low_hz * 1.7], "band", fs=FS_HZ, output="sos")
        self._hop_state = np.zeros((self._hop.shape[0], 2))
        lags = [int(axle_m / speed_m_s * FS_HZ) for axle_m in (0.0, *kind.axles_m)]
        self._past = np.zeros(max(lags))
        self._lags = lags
        # rms of white noise in that band, and of as many axles that beat independently
        band = low_hz * 0.7 * 1.11 / (FS_HZ / 2)
        self._hop_unit = 1 / math.sqrt(band * len(lags))
        self._firing_hz = rng.uniform(*kind.firing_hz)
        self._tread_hz = speed_m_s / kind.tread_m if kind.tread_m else 0.0
        self._engine_share = rng.uniform(0.2, 0.5)
        self._tread_share = rng.uniform(*kind.tread) if self._tread_hz else 0.0
        self._hop_share = math.sqrt(1 - self._engine_share**2 - self._tread_share**2)
        self._phases = [0.0, 0.0]
        self._level = (level_nm_s or kind.level_nm_s) * gain

    def _tone(self, index: int, hz: float, weights: tuple[float, ...]) -> FArray:
        """A line with its harmonics, rms 1, phase kept."""
        phase = self._phases[index] + 2 * math.pi * hz * np.arange(1, FS_HZ + 1) / FS_HZ
        self._phases[index] = float(phase[-1] % (2 * math.pi))
        total = np.zeros(FS_HZ)
        for harmonic, weight in enumerate(weights, 1):
            if harmonic * hz < 0.4 * FS_HZ:
                total += weight * np.sin(harmonic * phase)
        return total * math.sqrt(2 / sum(weight**2 for weight in weights))

    def second(self, distance_m: FArray) -> FArray:
        """FS_HZ samples in nm/s; `distance_m` has as many."""
        white = self._rng.standard_normal(FS_HZ)
        bumps, self._hop_state = signal.sosfilt(self._hop, white, zi=self._hop_state)
        road = np.concatenate([self._past, bumps])
        hop = np.zeros(FS_HZ)
        for lag in self._lags:
            start = self._past.size - lag
            hop += road[start : start + FS_HZ]
        self._past = road[road.size - self._past.size :]
        self._firing_hz *= float(np.clip(1 + 0.01 * self._rng.standard_normal(), 0.97, 1.03))
        self._tread_hz *= float(np.clip(1 + 0.005 * self._rng.standard_normal(), 0.98, 1.02))
        sound = self._hop_share * self._hop_unit * hop
        sound += self._engine_share * self._tone(0, self._firing_hz / 2, (0.5, 1.0, 0.0, 0.5))
        if self._tread_share:
            sound += self._tread_share * self._tone(1, self._tread_hz, (1.0, 0.4, 0.2))
        return np.asarray(self._level * fall(distance_m) * sound)


def fall(distance_m: FArray) -> FArray:
    """Amplitude at a distance over that at 10 m."""
    far = np.maximum(distance_m, 3.0)
    return np.asarray((far / 10) ** -_SPREAD * np.exp(-_LOSS_PER_M * (far - 10)))
