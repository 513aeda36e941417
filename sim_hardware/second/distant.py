# SPDX-License-Identifier: MIT
"""Ground layer: distant sources at all nodes: thunder, a local quake, tremor.

The same wave passes every node, later by the distance along its direction over its apparent
velocity, with each node's own planting and a little of its own scattering.
"""

from math import cos, radians

import numpy as np
from numpy.typing import NDArray

from sim_hardware.second.ground import GROUND_FS_HZ
from sim_hardware.second.noise import coloured, drift, hump
from sim_hardware.second.parameters import draw, span, value
from sim_hardware.second.track import Point

Array = NDArray[np.float64]


def plane(
    wave: Array, speed_m_s: float, nodes: list[Point], planting: Array, rng: np.random.Generator
) -> Array:
    """A wave (n,) that passes the nodes from a random direction: (nodes, n) in its unit.

    `planting`: the gain of each node, as Ground.planting gives it.
    """
    angle = rng.uniform(0, 2 * np.pi)
    samples = wave.size
    late_s = np.array(nodes) @ np.array([np.cos(angle), np.sin(angle)]) / speed_m_s
    late_s -= late_s.min()
    times = np.arange(samples) / GROUND_FS_HZ
    size = np.abs(wave) * value("distant.own_share")
    out = np.empty((len(nodes), samples))
    for node, late in enumerate(late_s):
        own = size * rng.normal(size=samples)
        out[node] = planting[node] * np.interp(times - late, times, wave + own, left=0.0)
    return out


def thunder(
    start_s: float, nodes: list[Point], planting: Array, samples: int, rng: np.random.Generator
) -> Array:
    """One thunder (nodes, samples) in m/s: claps and rumble of air, from above at a slant."""
    long_s = draw(rng, "thunder.duration_s")
    t_s = np.arange(samples) / GROUND_FS_HZ - start_s
    inside = (t_s > 0) & (t_s < long_s)
    shape = np.where(inside, np.exp(-value("thunder.decay") * np.maximum(t_s, 0) / long_s), 0.0)
    shape *= np.minimum(1.0, np.maximum(t_s, 0) / value("thunder.rise_s"))
    shape *= np.exp(
        value("thunder.clap_log") * drift(samples, GROUND_FS_HZ, value("thunder.clap_s"), rng)
    )
    centre = draw(rng, "thunder.peak_hz")
    rumble = coloured(
        lambda f_hz: hump(f_hz, centre, value("thunder.octaves")), samples, GROUND_FS_HZ, rng
    )
    wave = shape * rumble
    # The pressure is that of the loudest clap.
    peak = draw(rng, "thunder.pressure_pa") * draw(rng, "thunder.coupling_um_s_pa") * 1e-6
    wave *= peak / max(float(np.abs(wave).max()), 1e-30)
    elevation = radians(draw(rng, "thunder.elevation_deg"))
    return plane(wave, value("air.sound_m_s") / cos(elevation), nodes, planting, rng)


def quake(
    start_s: float, nodes: list[Point], planting: Array, samples: int, rng: np.random.Generator
) -> Array:
    """A local earthquake (nodes, samples) in m/s: P, then S with its coda."""
    corner = draw(rng, "quake.corner_hz")
    noise = coloured(lambda f_hz: _brune(f_hz, corner), samples, GROUND_FS_HZ, rng)
    t_s = np.arange(samples) / GROUND_FS_HZ - start_s
    tau_s = draw(rng, "quake.coda_s")
    shape = value("quake.p_share") * _arrival(t_s, tau_s)
    shape += _arrival(t_s - draw(rng, "quake.s_minus_p_s"), tau_s)
    wave = noise * shape
    low, high = np.log(span("quake.peak_nm_s"))
    wave *= np.exp(rng.uniform(low, high)) * 1e-9 / max(float(np.abs(wave).max()), 1e-30)
    return plane(wave, draw(rng, "quake.speed_m_s"), nodes, planting, rng)


def tremor(nodes: list[Point], planting: Array, samples: int, rng: np.random.Generator) -> Array:
    """Tremor (nodes, samples) in m/s that swells and fades over tens of seconds."""
    low, high = span("tremor.band_hz")
    wave = coloured(
        lambda f_hz: hump(f_hz, (low * high) ** 0.5, value("tremor.octaves")),
        samples,
        GROUND_FS_HZ,
        rng,
    )
    wave *= np.exp(
        value("tremor.swell_log") * drift(samples, GROUND_FS_HZ, value("tremor.swell_s"), rng)
    )
    wave *= draw(rng, "tremor.level_nm_s") * 1e-9 / float(np.std(wave))
    return plane(wave, draw(rng, "quake.speed_m_s"), nodes, planting, rng)


def _arrival(t_s: Array, tau_s: float) -> Array:
    since = np.maximum(t_s, 0.0)
    return np.where(
        t_s > 0, (1 - np.exp(-since / value("quake.rise_s"))) * np.exp(-since / tau_s), 0
    )


def _brune(f_hz: Array, corner_hz: float) -> Array:
    # Velocity density of a Brune source with the loss of the path.
    velocity = f_hz / (1 + (f_hz / corner_hz) ** 2)
    return np.asarray((velocity * np.exp(-f_hz / value("quake.path_hz"))) ** 2, np.float64)
