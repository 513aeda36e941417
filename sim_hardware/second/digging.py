# SPDX-License-Identifier: MIT
"""Ground layer: forces of digging by shovel (insert, lever, throw) and by pickaxe, with pauses."""

import numpy as np
from numpy.typing import NDArray
from scipy import signal as dsp

from sim_hardware.errors import SimError
from sim_hardware.second.parameters import draw, span, value
from sim_hardware.second.strike import FORCE_FS_HZ, Strike, pulse
from sim_hardware.second.track import Track

Array = NDArray[np.float64]
TOOLS = ("shovel", "pickaxe")


def strokes(tool: str, track: Track, rng: np.random.Generator) -> list[Strike]:
    """The strikes of one person digging at a track's place, from its start to its end."""
    if tool not in TOOLS:
        raise SimError(f"tool {tool} is unknown; known: {', '.join(TOOLS)}")
    out: list[Strike] = []
    t_s = track.start_s
    while t_s < track.end_s:
        for _ in range(round(draw(rng, "dig.strokes"))):
            if t_s >= track.end_s:
                return out
            long_s = draw(rng, f"{tool}.stroke_s")
            x_m, y_m = (float(part[0]) for part in track.at(np.array([t_s])))
            out += (_shovel if tool == "shovel" else _pickaxe)(t_s, long_s, x_m, y_m, rng)
            t_s += long_s
        t_s += draw(rng, "dig.pause_s")
    return out


def _shovel(
    t_s: float, long_s: float, x_m: float, y_m: float, rng: np.random.Generator
) -> list[Strike]:
    insert_s = draw(rng, "shovel.insert_s")
    insert = pulse(draw(rng, "shovel.insert_n") * insert_s / 2, insert_s)
    scrape_n = draw(rng, "shovel.scrape_n")
    insert = insert + _scrape(insert.size, scrape_n, rng)
    lever = _scrape(round(0.4 * FORCE_FS_HZ), 0.5 * scrape_n, rng)
    load = draw(rng, "shovel.load_kg") * draw(rng, "shovel.fall_m_s")
    angle, far_m = rng.uniform(0, 2 * np.pi), draw(rng, "shovel.throw_m")
    land = pulse(load, draw(rng, "shovel.land_s"))
    return [
        Strike(t_s, x_m, y_m, insert),
        Strike(t_s + value("shovel.lever_share") * long_s, x_m, y_m, lever),
        Strike(
            t_s + value("shovel.land_share") * long_s,
            float(x_m + far_m * np.cos(angle)),
            float(y_m + far_m * np.sin(angle)),
            land,
        ),
    ]


def _pickaxe(
    t_s: float, long_s: float, x_m: float, y_m: float, rng: np.random.Generator
) -> list[Strike]:
    blow = pulse(draw(rng, "pickaxe.momentum_n_s"), draw(rng, "pickaxe.contact_s"))
    at_s = t_s + long_s * rng.uniform(0.3, 0.6)
    aside = 0.2 * rng.normal(size=2)
    return [Strike(float(at_s), float(x_m + aside[0]), float(y_m + aside[1]), blow)]


def _scrape(samples: int, rms_n: float, rng: np.random.Generator) -> Array:
    sos = dsp.butter(2, span("shovel.scrape_hz"), "bandpass", fs=FORCE_FS_HZ, output="sos")
    noise = dsp.sosfilt(sos, rng.normal(size=samples + 100))[100:]
    shaped = noise * np.sin(np.pi * (np.arange(samples) + 0.5) / samples)
    return np.asarray(shaped * (rms_n / np.sqrt(np.mean(shaped**2))), np.float64)
