# SPDX-License-Identifier: MIT
"""Ground layer: a recording of real ground as the ambient of simulated nodes.

It is scaled as a replay scales it (uncalibrated counts by their quiet floor). It is not filtered,
because it has passed a real geophone. Every node starts at another place and repeats the recording.
"""

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from sim_hardware import recordings
from sim_hardware.errors import SimError
from sim_hardware.world.geophone import FS_HZ

_FADE = FS_HZ // 2


def load_background(path: Path, level_nm_s: float) -> NDArray[np.float32]:
    """The recording at FS_HZ in nm/s, its end faded into its beginning. Raises SimError."""
    one = recordings.load(path).signals[recordings.NODE]
    ratio = Fraction(FS_HZ / one.fs_hz).limit_denominator(1000)
    nm_s = np.asarray(one.velocity(level_nm_s), np.float64) * 1e9
    data = signal.resample_poly(nm_s, ratio.numerator, ratio.denominator)
    if data.size < 4 * FS_HZ:
        raise SimError(f"{path}: a background must last 4 s or more")
    fade = np.linspace(0, 1, _FADE)
    data[:_FADE] = data[:_FADE] * np.sqrt(fade) + data[-_FADE:] * np.sqrt(1 - fade)
    return np.asarray(data[:-_FADE], np.float32)


class Background:
    """The position of one node in a recording."""

    def __init__(self, data: NDArray[np.float32], rng: np.random.Generator) -> None:
        self._data = data
        self._at = int(rng.integers(0, data.size))

    def second(self) -> NDArray[np.float64]:
        """The next FS_HZ samples in nm/s."""
        places = (self._at + np.arange(FS_HZ)) % self._data.size
        self._at = int((self._at + FS_HZ) % self._data.size)
        return self._data[places].astype(np.float64)
