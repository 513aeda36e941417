# SPDX-License-Identifier: MIT
"""Ground layer: forces on the ground: single strikes, and lasting forces cut into blocks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim_hardware.second.track import Track

Array = NDArray[np.float64]
FORCE_FS_HZ = 1000
# A lasting force moves by one overlap within a block: 0.2 s.
BLOCK = 400


@dataclass(frozen=True, eq=False)
class Strike:
    """A vertical force (n,) in newton at FORCE_FS_HZ, downwards positive, from t_s on."""

    t_s: float
    x_m: float
    y_m: float
    force_n: Array


def timeline(strikes: Sequence[Strike], duration_s: float) -> Array:
    """All forces summed, (n,) newton at FORCE_FS_HZ, wherever they act."""
    out = np.zeros(round(duration_s * FORCE_FS_HZ))
    for strike in strikes:
        at = round(strike.t_s * FORCE_FS_HZ)
        low, high = max(0, at), min(out.size, at + strike.force_n.size)
        if low < high:
            out[low:high] += strike.force_n[low - at : high - at]
    return out


def moving(force_n: Array, start_s: float, track: Track, behind_m: float = 0.0) -> list[Strike]:
    """A lasting force (n,) that follows a track, as overlapping Hann blocks that sum to it.

    `behind_m`: the force trails the track by so much, as a rear axle does.
    """
    hop = BLOCK // 2
    window = np.sin(np.pi * (np.arange(BLOCK) + 0.5) / BLOCK) ** 2
    padded = np.concatenate([np.zeros(hop), force_n, np.zeros(BLOCK)])
    starts = np.arange(0, padded.size - BLOCK, hop)
    t_s = start_s + (starts - hop) / FORCE_FS_HZ
    middle_s = t_s + hop / FORCE_FS_HZ
    x_m, y_m = track.at(middle_s)
    bearing = track.bearing_rad(middle_s)
    x_m, y_m = x_m - behind_m * np.cos(bearing), y_m - behind_m * np.sin(bearing)
    return [
        Strike(float(t), float(x), float(y), padded[at : at + BLOCK] * window)
        for at, t, x, y in zip(starts, t_s, x_m, y_m, strict=True)
    ]


def pulse(impulse_n_s: float, contact_s: float) -> Array:
    """A half-sine squared of a given impulse and contact time, (n,) newton at FORCE_FS_HZ."""
    samples = max(2, round(contact_s * FORCE_FS_HZ))
    shape = np.sin(np.pi * (np.arange(samples) + 0.5) / samples) ** 2
    return np.asarray(shape * (impulse_n_s * FORCE_FS_HZ / shape.sum()), np.float64)
