# SPDX-License-Identifier: MIT
"""Ground layer: a vehicle on a rough road, with every figure drawn at random.

A quarter car over a road whose slope is white along the way (ISO 8608, waviness 2): the force of
its wheels has the resonances of the body (1..2.5 Hz) and of the axle (wheel hop, 7..16 Hz), one
axle after another over the same bumps (Krylov et al., JSV 329, 3020). The ground attenuates high
frequencies with distance, corner Q c / (pi r). Engine lines at the firing frequency and its
halves drift and change gear. Spans are wider than any one vehicle: it is for training.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from sim_hardware.world.geophone import FS_HZ, Geophone
from sim_hardware.world.soil import Soil

FArray = NDArray[np.float64]
_AXLES = ((2.6,), (1.4,), (3.8, 5.1), (3.5,), (1.0, 2.0, 3.0, 4.0), (3.2, 10.5, 11.8))


class QuarterCar:
    """One vehicle at one node; `second` continues where the last one ended.

    `level_nm_s`: rms in 8..60 Hz at 10 m.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        soil: Soil,
        geophone: Geophone,
        level_nm_s: float,
        speed_m_s: float,
        gain: float,
    ) -> None:
        self._rng = rng
        axles_m = _AXLES[int(rng.integers(len(_AXLES)))]
        lags = [int(axle_m / speed_m_s * FS_HZ) for axle_m in (0.0, *axles_m)]
        self._lags = lags
        self._past = np.zeros(max(lags))
        self._sos = np.vstack(
            [
                _resonance(rng.uniform(1, 2.5), rng.uniform(1, 3)),
                _resonance(rng.uniform(7, 16), rng.uniform(1, 5)),
                signal.butter(1, rng.uniform(20, 90), fs=FS_HZ, output="sos"),
                # A force moves the ground the faster the higher its frequency (Lamb: f^1.5).
                signal.butter(1, rng.uniform(25, 90), "high", fs=FS_HZ, output="sos"),
                geophone.sections(),
            ]
        )
        self._state = np.zeros((self._sos.shape[0], 2))
        self._bumps_per_s = rng.choice([0.0, rng.uniform(0.05, 0.8)])
        self._bump = rng.uniform(5, 25)
        self._firing_hz = rng.uniform(18, 110)
        orders = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0])
        weights = rng.lognormal(0, 0.8, orders.size) * np.array([0.5, 1, 0.3, 0.6, 0.3, 0.3])
        self._orders = orders
        self._weights = weights * math.sqrt(2) / float(np.linalg.norm(weights))
        self._turns = rng.uniform(0, 1, orders.size)
        share = rng.beta(1, 2.2)  # of the power in the engine's lines
        self._road_share, self._engine_share = math.sqrt(1 - share), math.sqrt(share)
        self._gear_per_s = rng.choice([0.0, 0.05, 0.15])
        self._qc = soil.quality * soil.rayleigh_m_s * rng.uniform(0.5, 2)
        self._low = np.zeros(1)
        self._spread = rng.uniform(0.5, 1.1)
        self._level = level_nm_s * gain
        self._unit = 1 / self._band_rms()

    def _band_rms(self) -> float:
        f_hz = np.linspace(1, FS_HZ / 2 - 1, 1000)
        response = np.abs(signal.sosfreqz(self._sos, f_hz, fs=FS_HZ)[1])
        inside = (f_hz >= 8) & (f_hz <= 60)
        density = float(np.sum(response[inside] ** 2)) / f_hz.size
        return math.sqrt(density * len(self._lags))

    def _road(self) -> FArray:
        white = self._rng.standard_normal(FS_HZ)
        for _ in range(int(self._rng.poisson(self._bumps_per_s))):
            white[int(self._rng.integers(FS_HZ))] += self._bump * self._rng.choice([-1, 1])
        felt, self._state = signal.sosfilt(self._sos, white, zi=self._state)
        road = np.concatenate([self._past, felt])
        total = np.zeros(FS_HZ)
        for lag in self._lags:
            start = self._past.size - lag
            total += road[start : start + FS_HZ]
        self._past = road[road.size - self._past.size :]
        return total * self._unit

    def _engine(self) -> FArray:
        if self._rng.random() < self._gear_per_s:
            self._firing_hz *= float(self._rng.choice([0.7, 1.4]))
        drift = float(np.clip(1 + 0.012 * self._rng.standard_normal(), 0.96, 1.04))
        self._firing_hz = float(np.clip(self._firing_hz * drift, 12, 130))
        gone = np.arange(1, FS_HZ + 1) / FS_HZ * self._firing_hz
        total = np.zeros(FS_HZ)
        for i, (order, weight) in enumerate(zip(self._orders, self._weights, strict=True)):
            if order * self._firing_hz < 0.4 * FS_HZ:
                total += weight * np.sin(2 * math.pi * (order * gone + self._turns[i]))
        self._turns = (self._turns + self._orders * gone[-1]) % 1.0
        return total

    def second(self, distance_m: FArray) -> FArray:
        """FS_HZ samples in nm/s; `distance_m` has as many."""
        sound = self._road_share * self._road() + self._engine_share * self._engine()
        far_m = np.maximum(distance_m, 3.0)
        corner_hz = min(0.45 * FS_HZ, self._qc / (math.pi * float(np.mean(far_m))))
        b, a = signal.butter(1, corner_hz, fs=FS_HZ)
        out, self._low = signal.lfilter(b, a, sound, zi=self._low)
        return np.asarray(self._level * (far_m / 10) ** -self._spread * out)


def _resonance(hz: float, quality: float) -> FArray:
    """Second-order section: one below `hz`, `quality` at it, falling as 1/f behind.

    A damper carries force past the spring, so the fall is that of the first order.
    """
    w = 2 * math.pi * hz
    damping = w / quality
    b, a = signal.bilinear([damping, w * w], [1, damping, w * w], fs=FS_HZ)
    return np.array([[*b, *a]])
