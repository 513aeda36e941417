# SPDX-License-Identifier: MIT
"""Ground layer: rain and hail: every drop or stone within some metres of a node is a small blow.

Drops follow Marshall and Palmer (1948) and fall at the speeds of Atlas et al. (1973). They land in
rings around each node; the blows of one ring pass the ground's own response at its radius.
"""

import numpy as np
from numpy.typing import NDArray

from sim_hardware.second.gait import GRAVITY
from sim_hardware.second.ground import GROUND_FS_HZ, Ground, frequencies
from sim_hardware.second.noise import hump
from sim_hardware.second.parameters import draw, value

Array = NDArray[np.float64]
_DROP_MM = np.array([0.75, 1.25, 1.75, 2.25, 2.75, 3.5, 4.5])
_DROP_WIDTH_MM = np.array([0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0])
_STONE_STEP_MM = 2.0
_STONES = 10
_EDGES_M = np.array([0.0, 0.5, 1.0, 1.7, 2.6, 4.0]) / 4.0
_WATER_KG_MM3 = 1e-6


def drops(rain_mm_h: float) -> tuple[Array, Array]:
    """Impulse (sizes,) in N s of each size of drop and its flux (sizes,) per m^2 and second."""
    slope = value("rain.slope_mm") * rain_mm_h**-0.21
    per_m3 = value("rain.intercept_m3_mm") * np.exp(-slope * _DROP_MM) * _DROP_WIDTH_MM
    deficit = value("rain.fall_deficit_m_s") * np.exp(-value("rain.fall_slope_mm") * _DROP_MM)
    fall = value("rain.fall_limit_m_s") - deficit
    mass = np.pi / 6 * _DROP_MM**3 * _WATER_KG_MM3
    return mass * fall, per_m3 * fall


def stones(flux_m2_s: float) -> tuple[Array, Array]:
    """Impulse (sizes,) in N s of each size of hailstone and its flux (sizes,) per m^2, second."""
    size_mm = value("hail.least_mm") + _STONE_STEP_MM * (np.arange(_STONES) + 0.5)
    share = np.exp(-(size_mm - value("hail.least_mm")) / value("hail.mean_mm"))
    density = value("hail.density_kg_m3")
    braking = 3 * value("air.density_kg_m3") * value("hail.drag")
    fall = np.sqrt(4 * GRAVITY * density * size_mm * 1e-3 / braking)
    mass = np.pi / 6 * (size_mm * 1e-3) ** 3 * density
    return mass * fall, flux_m2_s * share / share.sum()


def rain(
    rain_mm_h: float, ground: Ground, nodes: int, samples: int, rng: np.random.Generator
) -> Array:
    """Ground velocity (nodes, samples) in m/s of steady rain."""
    impulse, flux = drops(rain_mm_h)
    return _blows(impulse, flux, value("rain.contact_s"), ground, nodes, samples, rng)


def hail(ground: Ground, nodes: int, samples: int, rng: np.random.Generator) -> Array:
    """Ground velocity (nodes, samples) in m/s of a hail shower that lasts the whole time."""
    impulse, flux = stones(draw(rng, "hail.flux_m2_s"))
    return _blows(impulse, flux, value("hail.contact_s"), ground, nodes, samples, rng)


def _blows(
    impulse: Array,
    flux: Array,
    contact_s: float,
    ground: Ground,
    nodes: int,
    samples: int,
    rng: np.random.Generator,
) -> Array:
    f_hz = np.asarray(np.fft.rfftfreq(samples, 1 / GROUND_FS_HZ), np.float64)
    lowpass = hump(np.maximum(f_hz, 1 / contact_s / 4), 1 / contact_s / 4, 1.5)
    edges = _EDGES_M * value("rain.reach_m")
    sites = ground.node_responses(nodes)
    out = np.zeros((nodes, samples))
    for node in range(nodes):
        total = np.zeros(f_hz.size, np.complex128)
        for inner, outer in zip(edges, edges[1:], strict=False):
            area = np.pi * (outer**2 - inner**2)
            blows = np.zeros(samples)
            for size, rate in zip(impulse, flux, strict=True):
                count = rng.poisson(rate * area * samples / GROUND_FS_HZ)
                at = rng.integers(0, samples, size=count)
                blows += size * np.bincount(at, minlength=samples)
            wave = ground.transfer(float(inner + outer) / 2) * sites[node]
            spectrum = np.asarray(np.fft.rfft(blows), np.complex128)
            total += spectrum * _at(f_hz, wave)
        # Blows are impulses in newton seconds: a response per newton times the rate of samples.
        out[node] = np.fft.irfft(total * lowpass, samples) * GROUND_FS_HZ
    return out


def _at(f_hz: Array, response: NDArray[np.complex128]) -> NDArray[np.complex128]:
    grid = frequencies()
    real, imaginary = (np.interp(f_hz, grid, part) for part in (response.real, response.imag))
    return np.asarray(real + 1j * imaginary, np.complex128)
