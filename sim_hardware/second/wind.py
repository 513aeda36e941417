# SPDX-License-Identifier: MIT
"""Ground layer: wind: gusts that drift over the site, pressure on grass, trees at their roots."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim_hardware.second.ground import GROUND_FS_HZ
from sim_hardware.second.noise import coloured
from sim_hardware.second.parameters import draw, span, value
from sim_hardware.second.track import Point

Array = NDArray[np.float64]
_SLOW_FS_HZ = 10.0


@dataclass(frozen=True, eq=False)
class Wind:
    """Wind speed at the nodes (nodes, slow samples) at 10 Hz, in m/s."""

    speed_m_s: Array

    def at_ground_rate(self, samples: int) -> Array:
        """The speed (nodes, samples) at GROUND_FS_HZ."""
        slow = np.arange(self.speed_m_s.shape[1]) / _SLOW_FS_HZ
        times = np.arange(samples) / GROUND_FS_HZ
        return np.stack([np.interp(times, slow, row) for row in self.speed_m_s])


def gusts(mean_m_s: float, nodes: list[Point], samples: int, rng: np.random.Generator) -> Wind:
    """Gusts of a von Karman spectrum, coherent between nodes as Davenport (1961) has it."""
    count = int(samples / GROUND_FS_HZ * _SLOW_FS_HZ) + 2
    turbulence, length_m = draw(rng, "wind.turbulence"), draw(rng, "wind.length_m")
    f_hz = np.fft.rfftfreq(count, 1 / _SLOW_FS_HZ)
    reduced = f_hz * length_m / mean_m_s
    variance = (turbulence * mean_m_s) ** 2
    density = 4 * variance * length_m / mean_m_s / (1 + 70.8 * reduced**2) ** (5 / 6)
    size = np.sqrt(density * count * _SLOW_FS_HZ / 4)
    size[0] = 0.0
    where = np.array(nodes)
    angle = rng.uniform(0, 2 * np.pi)
    along = where @ np.array([np.cos(angle), np.sin(angle)])
    apart = np.hypot(*(where[:, None, :] - where[None, :, :]).transpose(2, 0, 1))
    draws = rng.normal(size=(f_hz.size, len(nodes))) + 1j * rng.normal(size=(f_hz.size, len(nodes)))
    rate = value("wind.coherence_decay") * f_hz / mean_m_s
    coherence = np.exp(-rate[:, None, None] * apart) + 1e-9 * np.eye(len(nodes))
    mixed = np.einsum("fab,fb->fa", np.linalg.cholesky(coherence), draws)
    carried = mixed * np.exp(-2j * np.pi * f_hz[:, None] * along / mean_m_s)
    gust = np.fft.irfft(carried * size[:, None], count, axis=0).T
    return Wind(np.clip(mean_m_s + gust, 0.0, value("wind.gust_max") * mean_m_s))


def noise(wind: Wind, samples: int, rng: np.random.Generator) -> Array:
    """Ground velocity (nodes, samples) in m/s: open ground, and trees by the roots."""
    speed = wind.at_ground_rate(samples)
    strength = (speed / value("wind.reference_m_s")) ** value("wind.power")
    open_m_s = draw(rng, "wind.open_nm_s") * 1e-9
    times = np.arange(samples) / GROUND_FS_HZ
    out = np.empty_like(speed)
    low_hz, high_hz = span("wind.root_band_hz")
    for node in range(len(speed)):
        grass = coloured(_open_density, samples, GROUND_FS_HZ, rng)
        grass *= open_m_s / np.std(grass)
        root_hz, root_m_s = rng.uniform(low_hz, high_hz), draw(rng, "wind.root_nm_s") * 1e-9
        roots = coloured(_resonance(root_hz), samples, GROUND_FS_HZ, rng)
        turn = 2 * np.pi * (draw(rng, "wind.tree_hz") * times + rng.uniform())
        sway = 1 + value("wind.sway_share") * np.sin(turn)
        out[node] = strength[node] * (grass + roots * sway * root_m_s / np.std(roots))
    return out


def _open_density(f_hz: Array) -> Array:
    corner = value("wind.open_hz")
    return np.where(f_hz < 0.5, 0.0, 1 / (1 + (f_hz / corner) ** 2))


def _resonance(root_hz: float) -> Callable[[Array], Array]:
    q = value("wind.root_q")

    def density(f_hz: Array) -> Array:
        detuned = (1 - (f_hz / root_hz) ** 2) ** 2
        return np.where(f_hz < 0.5, 0.0, 1 / (detuned + (f_hz / root_hz / q) ** 2))

    return density
