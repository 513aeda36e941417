# SPDX-License-Identifier: MIT
"""Ground layer: soils, and the pulse a point force sends through them as a Rayleigh wave.

Lamb's point load on a half-space (Lamb 1904; constant 0.183 for a Poisson ratio of 0.25):
V(f, r) = i w F(f) (k / 2 mu) K sqrt(2 / (pi k r)) exp(-pi f r / (Q c)).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from sim_hardware.world.geophone import FS_HZ, Geophone

LAMB = 0.183
LENGTH = 512  # samples of one pulse: 1.0 s
LEAD_S = 0.06  # the force peaks this long after the pulse begins
NEAREST_M = 0.7
FARTHEST_M = 150.0
_ACTIVE_LATE_S = 0.1
_GRID = 48
_TAPER = 64


@dataclass(frozen=True)
class Soil:
    """Shear wave speed, density, quality factor; `rayleigh_m_s` is the wave's own speed."""

    shear_m_s: float
    density_kg_m3: float
    quality: float

    @property
    def rayleigh_m_s(self) -> float:
        return 0.92 * self.shear_m_s


# Typical values of BSSA 100, 1528 (Auersch 2010) and of car traffic on geophone lines (Meng 2021)
SOILS = {
    "clay": Soil(110.0, 1600.0, 10.0),
    "loam": Soil(170.0, 1700.0, 15.0),
    "firm": Soil(250.0, 1800.0, 25.0),
    "gravel": Soil(400.0, 2000.0, 40.0),
    "peat": Soil(100.0, 1300.0, 8.0),
    "sand": Soil(140.0, 1600.0, 12.0),
    "silt": Soil(210.0, 1750.0, 20.0),
    "till": Soil(320.0, 1900.0, 30.0),
    "turf": Soil(125.0, 1450.0, 11.0),
    "marl": Soil(185.0, 1750.0, 16.0),
    "chalk": Soil(285.0, 1850.0, 27.0),
}


@dataclass(frozen=True)
class Strike:
    """A force pulse on the ground: Gaussian of `newton` peak and `width_s` full width at half."""

    newton: float
    width_s: float
    toe_off: float = 0.0  # second, twice as wide push, as a share of the first
    toe_off_s: float = 0.45
    active_n: float = (
        0.0  # peak of the slow push of a run, 0.1 s later, `active_s` wide (half height)
    )
    active_s: float = 0.12
    drag_seed: int = 0  # not 0: a scrape instead, noise of `newton` rms in 10..80 Hz for `width_s`

    def spectrum(self, f_hz: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Fourier transform of the force in N s, peak at LEAD_S."""
        if self.drag_seed:
            return _drag(self.newton, self.width_s, self.drag_seed)
        total = np.zeros(f_hz.shape, dtype=np.complex128)
        pushes: tuple[tuple[float, float, float], ...] = ((self.newton, self.width_s, LEAD_S),)
        if self.toe_off:
            late = (self.newton * self.toe_off, 2 * self.width_s, LEAD_S + self.toe_off_s)
            pushes = (*pushes, late)
        if self.active_n:
            pushes = (*pushes, (self.active_n, self.active_s, LEAD_S + _ACTIVE_LATE_S))
        for newton, width_s, at_s in pushes:
            sigma = width_s / 2.3548
            total += (
                newton
                * sigma
                * math.sqrt(2 * math.pi)
                * np.exp(-0.5 * (2 * math.pi * f_hz * sigma) ** 2 - 2j * math.pi * f_hz * at_s)
            )
        return total


def _drag(newton: float, width_s: float, seed: int) -> NDArray[np.complex128]:
    """A tool or load dragged over the ground: noise under a half sine (on the bank's own grid)."""
    samples = int(width_s * FS_HZ)
    white = np.random.default_rng([seed, 10]).standard_normal(samples + FS_HZ)
    band = signal.butter(2, [10, 80], "band", fs=FS_HZ, output="sos")
    noise = signal.sosfilt(band, white)[FS_HZ:]
    noise *= newton / np.sqrt(np.mean(noise**2)) * np.sin(np.linspace(0, math.pi, samples))
    force = np.zeros(2 * LENGTH)
    lead = int(LEAD_S * FS_HZ)
    force[lead : lead + samples] = noise
    return np.asarray(np.fft.rfft(force) / FS_HZ)


class PulseBank:
    """Velocity pulses of one strike at one geophone for every distance.

    `pulse(r)` returns LENGTH samples in nm/s at FS_HZ, without the travel time.
    """

    def __init__(
        self, soil: Soil, strike: Strike, geophone: Geophone, coda: NDArray[np.float64]
    ) -> None:
        f = np.fft.rfftfreq(2 * LENGTH, 1 / FS_HZ).astype(np.float64)
        f[0] = 1e-6
        speed = soil.rayleigh_m_s
        stiffness = soil.density_kg_m3 * soil.shear_m_s**2
        k = 2 * math.pi * f / speed
        source = 2j * math.pi * f * strike.spectrum(f) * k / (2 * stiffness) * LAMB
        source *= geophone.response(f) * np.fft.rfft(coda, 2 * LENGTH)
        self._log_r = np.linspace(math.log(NEAREST_M), math.log(FARTHEST_M), _GRID)
        r = np.exp(self._log_r)[:, None]
        spread = np.sqrt(2 / (math.pi * k[None, :] * r))
        loss = np.exp(-math.pi * f[None, :] * r / (soil.quality * speed))
        pulses = np.fft.irfft(source[None, :] * spread * loss, axis=1)[:, :LENGTH] * FS_HZ * 1e9
        pulses[:, -_TAPER:] *= np.linspace(1, 0, _TAPER)
        self._pulses = pulses

    def pulse(self, distance_m: float) -> NDArray[np.float64]:
        """The pulse at `distance_m`, zero beyond FARTHEST_M."""
        if distance_m > FARTHEST_M:
            return np.zeros(LENGTH)
        at = (math.log(max(distance_m, NEAREST_M)) - self._log_r[0]) / (
            self._log_r[1] - self._log_r[0]
        )
        low = min(int(at), _GRID - 2)
        share = at - low
        return np.asarray(self._pulses[low] * (1 - share) + self._pulses[low + 1] * share)


def coda_kernel(rng: np.random.Generator) -> NDArray[np.float64]:
    """Direct arrival plus scattered energy: 10..30 % of it, decaying over 50..150 ms."""
    share = rng.uniform(0.1, 0.3)
    t = np.arange(LENGTH // 2) / FS_HZ
    tail = rng.standard_normal(t.size) * np.exp(-t / rng.uniform(0.05, 0.15))
    kernel = tail * math.sqrt(share / np.sum(tail**2))
    kernel[0] += math.sqrt(1 - share)
    return np.asarray(kernel)
