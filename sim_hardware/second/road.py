# SPDX-License-Identifier: MIT
"""Ground layer: road profiles of ISO 8608: displacement whose density falls with wavenumber^-2."""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sim_hardware.errors import SimError
from sim_hardware.second.parameters import value

Array = NDArray[np.float64]
CLASSES = ("b", "c", "d", "e")


def axle_share(n: Array, track_m: float) -> Array:
    """Height of an axle's middle over that of one wheel (n,), at (n,) cycles/m.

    Left and right wheels run over one isotropic surface, whose coherence across the track falls
    with wavenumber (Kamash and Robson 1978, J. Sound and Vibration 57:89).
    """
    x = np.maximum(2 * np.pi * n * track_m, 1e-6)
    coherence = x * special.k1(x)
    return np.asarray(np.sqrt((1 + coherence) / 2), np.float64)


def profile(road_class: str, samples: int, step_m: float, rng: np.random.Generator) -> Array:
    """Height (n,) in metres every `step_m` along a road of class b, c, d or e."""
    if road_class not in CLASSES:
        raise SimError(f"road class {road_class} is unknown; known: {', '.join(CLASSES)}")
    n = np.fft.rfftfreq(samples, step_m)
    reference = value("road.reference_wavenumber")
    inside = (n >= value("road.least_wavenumber")) & (n <= value("road.most_wavenumber"))
    density = np.zeros(n.size)
    density[inside] = value(f"road.class_{road_class}_m3") * (n[inside] / reference) ** -2
    # One-sided density to the mean size of a discrete coefficient.
    size = np.sqrt(density * samples / (2 * step_m) / 2)
    draws = rng.normal(size=n.size) + 1j * rng.normal(size=n.size)
    return np.asarray(np.fft.irfft(size * draws, samples), np.float64)
