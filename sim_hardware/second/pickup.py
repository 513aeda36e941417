# SPDX-License-Identifier: MIT
"""Ground layer: electrical pickup of a cable, as equal ground velocity: fence and mains."""

import numpy as np
from numpy.typing import NDArray

from sim_hardware.second.ground import GROUND_FS_HZ
from sim_hardware.second.noise import drift
from sim_hardware.second.parameters import draw, span, value, values

Array = NDArray[np.float64]
MAINS_HZ = (50.0, 60.0)


def fence(nodes: int, samples: int, rng: np.random.Generator) -> tuple[Array, float]:
    """Pulses of an electric fence (nodes, samples) in m/s, and their exact period in seconds."""
    period_s, width_s = draw(rng, "fence.period_s"), draw(rng, "fence.width_s")
    times = rng.uniform(0, period_s) + period_s * np.arange(int(samples / GROUND_FS_HZ / period_s))
    t_s = np.arange(samples) / GROUND_FS_HZ
    train = np.zeros(samples)
    for time_s in times:
        low, high = np.searchsorted(t_s, (time_s - 5 * width_s, time_s + 5 * width_s))
        turn = (t_s[low:high] - time_s) / width_s
        # The derivative of a bell: the response of a coil to one pulse.
        train[low:high] += -turn * np.exp(0.5 - 0.5 * turn**2)
    low_nm, high_nm = np.log(span("fence.peak_nm_s"))
    peaks = np.exp(rng.uniform(low_nm, high_nm, size=nodes)) * 1e-9
    return peaks[:, None] * train, period_s


def mains(line_hz: float, nodes: int, samples: int, rng: np.random.Generator) -> Array:
    """Mains lines (nodes, samples) in m/s: the fundamental and harmonics with the grid's drift."""
    wander = value("mains.drift_hz") * drift(samples, GROUND_FS_HZ, 60.0, rng)
    turn = 2 * np.pi * np.cumsum(line_hz + wander) / GROUND_FS_HZ
    out = np.zeros((nodes, samples))
    for node in range(nodes):
        level = draw(rng, "mains.level_nm_s") * 1e-9
        for order in values("mains.harmonics"):
            if order * line_hz < 0.4 * GROUND_FS_HZ:
                size = level * rng.uniform(0.1, 1.0) / order
                out[node] += size * np.sin(order * turn + rng.uniform(0, 2 * np.pi))
    return out
