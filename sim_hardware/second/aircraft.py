# SPDX-License-Identifier: MIT
"""Ground layer: a helicopter that flies over: its blades' tone with Doppler, through the air."""

import numpy as np
from numpy.typing import NDArray

from sim_hardware.second.ground import GROUND_FS_HZ
from sim_hardware.second.parameters import draw, value
from sim_hardware.second.track import Point

Array = NDArray[np.float64]
_HARMONICS = 5


def helicopter(
    closest_s: float, nodes: list[Point], planting: Array, samples: int, rng: np.random.Generator
) -> Array:
    """Ground velocity (nodes, samples) in m/s of a level flight, overhead at `closest_s`."""
    blade_hz, speed = draw(rng, "helicopter.blade_hz"), draw(rng, "helicopter.speed_m_s")
    height_m, heading = draw(rng, "helicopter.height_m"), rng.uniform(0, 2 * np.pi)
    aside_m = rng.uniform(-200.0, 200.0)
    size = draw(rng, "helicopter.pressure_pa") * draw(rng, "helicopter.coupling_um_s_pa") * 1e-6
    middle = np.mean(np.array(nodes), axis=0)
    phases = rng.uniform(0, 2 * np.pi, size=_HARMONICS)
    t_s = np.arange(samples) / GROUND_FS_HZ
    out = np.zeros((len(nodes), samples))
    for node, (x_m, y_m) in enumerate(nodes):
        east, north = x_m - middle[0], y_m - middle[1]
        along = east * np.cos(heading) + north * np.sin(heading)
        across = aside_m + east * np.sin(heading) - north * np.cos(heading)
        sent_s = t_s
        for _ in range(8):  # emission time of the sound that arrives now
            flown = speed * (sent_s - closest_s) - along
            away_m = np.sqrt(flown**2 + across**2 + height_m**2)
            sent_s = t_s - away_m / value("air.sound_m_s")
        fall = value("helicopter.reference_m") / away_m
        for order in range(1, _HARMONICS + 1):
            share = value("helicopter.harmonic_share") ** (order - 1)
            turn = 2 * np.pi * order * blade_hz * sent_s + phases[order - 1]
            out[node] += planting[node] * size * fall * share * np.sin(turn)
    return out
