# SPDX-License-Identifier: MIT
"""Ground layer: the noise floor of a site: between Peterson's models, with people far away.

Peterson's low and high noise models (1993) end at 10 Hz. Above, the density of acceleration is
held, so that velocity falls with frequency; a bell around 8 to 30 Hz stands for distant people.
"""

import numpy as np
from numpy.typing import NDArray

from sim_hardware.second.ground import GROUND_FS_HZ
from sim_hardware.second.noise import coloured, drift, hump
from sim_hardware.second.parameters import draw, span, value, values

Array = NDArray[np.float64]
BAND_HZ = (1.0, 100.0)


def peterson(model: str, f_hz: Array) -> Array:
    """Power density of velocity (n,), (m/s)^2/Hz, of `low` or `high` from 0.1 Hz, held at ends."""
    f_hz = np.clip(f_hz, 0.1, 1000.0)
    at_hz = values(f"ambient.peterson_{model}_hz")
    acceleration_db = np.interp(
        np.log10(f_hz), np.log10(at_hz), values(f"ambient.peterson_{model}_db")
    )
    return np.asarray(10 ** (acceleration_db / 10) / (2 * np.pi * f_hz) ** 2, np.float64)


def noise(nodes: int, samples: int, level_m_s: float, rng: np.random.Generator) -> Array:
    """Ambient velocity (nodes, samples) in m/s at GROUND_FS_HZ; `level_m_s` is rms in BAND_HZ."""
    mix, share = draw(rng, "ambient.model_mix"), draw(rng, "ambient.cultural_share")
    centre = draw(rng, "ambient.cultural_hz")

    def base(f_hz: Array) -> Array:
        low, high = peterson("low", f_hz), peterson("high", f_hz)
        return np.asarray(low ** (1 - mix) * high**mix, np.float64)

    def people(f_hz: Array) -> Array:
        return hump(f_hz, centre, value("ambient.cultural_octaves"))

    grid = np.arange(*BAND_HZ, 0.1)
    base_power, people_power = (float(np.sum(part(grid)) * 0.1) for part in (base, people))

    def density(f_hz: Array) -> Array:
        shape = (1 - share) * base(f_hz) / base_power + share * people(f_hz) / people_power
        rise = np.minimum(1.0, f_hz / 0.5) ** 4
        return np.asarray(level_m_s**2 * shape * rise, np.float64)

    common = coloured(density, samples, GROUND_FS_HZ, rng)
    part = draw(rng, "ambient.common_share")
    deviation_db, tau_s = draw(rng, "ambient.drift_db"), draw(rng, "ambient.drift_s")
    slow = 10 ** (deviation_db * drift(samples, GROUND_FS_HZ, tau_s, rng) / 20)
    out = np.empty((nodes, samples))
    for node in range(nodes):
        own = coloured(density, samples, GROUND_FS_HZ, rng)
        out[node] = slow * (part**0.5 * common + (1 - part) ** 0.5 * own)
    return out


def drawn_level_nm_s(rng: np.random.Generator) -> float:
    """A site's level in nm/s, evenly drawn on a logarithmic scale."""
    low, high = np.log(span("ambient.level_nm_s"))
    return float(np.exp(rng.uniform(low, high)))
