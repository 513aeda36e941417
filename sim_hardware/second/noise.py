# SPDX-License-Identifier: MIT
"""Ground layer: random processes of the second family: coloured noise, slow drifts, air blasts."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def coloured(
    density: Callable[[Array], Array], samples: int, fs_hz: float, rng: np.random.Generator
) -> Array:
    """Gaussian noise (n,) whose one-sided power density at (bins,) Hz is density(f), unit^2/Hz."""
    f_hz = np.asarray(np.fft.rfftfreq(samples, 1 / fs_hz), np.float64)
    size = np.sqrt(density(f_hz) * samples * fs_hz / 4)
    draws = rng.normal(size=f_hz.size) + 1j * rng.normal(size=f_hz.size)
    return np.asarray(np.fft.irfft(size * draws, samples), np.float64)


def drift(samples: int, fs_hz: float, tau_s: float, rng: np.random.Generator) -> Array:
    """A slow process (n,) of mean 0, deviation 1 and correlation time tau_s (Ornstein)."""
    step_s = min(tau_s / 20, 0.5)
    points = int(samples / fs_hz / step_s) + 2
    keep = float(np.exp(-step_s / tau_s))
    kicks = rng.normal(size=points) * (1 - keep**2) ** 0.5
    walk = np.empty(points)
    walk[0] = rng.normal()
    for at in range(1, points):
        walk[at] = keep * walk[at - 1] + kicks[at]
    return np.interp(np.arange(samples) / fs_hz, np.arange(points) * step_s, walk)


def hump(f_hz: Array, centre_hz: float, octaves: float) -> Array:
    """A log-normal bell (n,) with peak 1 over frequency."""
    safe = np.maximum(f_hz, 1e-3)
    return np.asarray(np.exp(-0.5 * (np.log2(safe / centre_hz) / octaves) ** 2), np.float64)


def rms(data: Array) -> float:
    """Root of the mean square of all values."""
    return float(np.sqrt(np.mean(data**2)))
