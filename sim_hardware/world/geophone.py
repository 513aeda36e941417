# SPDX-License-Identifier: MIT
"""Ground layer: the response of an SM-24 and the anti-alias filter behind it.

The output keeps the unit of ground velocity: it is the geophone voltage over its sensitivity.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from sim_hardware.parts.front_end import BOARDS

FS_HZ = 500
# SM-24 data sheet: natural frequency 10 Hz +-2.5 %, damping +-5 %. The damping of both boards'
# wiring, to the two digits to which a coil is made.
NATURAL_HZ = BOARDS["pico_w"].geophone.natural_hz
DAMPING = round(BOARDS["pico_w"].damping(), 2)
# front end: RC pair before the ADC, half the sampling rate of a node (250 Hz)
ANTI_ALIAS_HZ = 100.0


@dataclass(frozen=True)
class Geophone:
    """One specimen: its natural frequency and damping."""

    natural_hz: float = NATURAL_HZ
    damping: float = DAMPING

    @classmethod
    def specimen(cls, rng: np.random.Generator) -> "Geophone":
        """Draw one within the data sheet's tolerances."""
        return cls(
            NATURAL_HZ * (1 + 0.025 * rng.uniform(-1, 1)), DAMPING * (1 + 0.05 * rng.uniform(-1, 1))
        )

    def response(self, f_hz: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Complex gain at `f_hz`, anti-alias filter included."""
        s = 2j * math.pi * f_hz
        w0 = 2 * math.pi * self.natural_hz
        mass = s**2 / (s**2 + 2 * self.damping * w0 * s + w0**2)
        wc = 2 * math.pi * ANTI_ALIAS_HZ
        low = wc**2 / (s**2 + math.sqrt(2) * wc * s + wc**2)
        return np.asarray(mass * low, dtype=np.complex128)

    def sections(self) -> NDArray[np.float64]:
        """The same as second-order sections at FS_HZ."""
        w0 = 2 * math.pi * self.natural_hz
        b, a = signal.bilinear([1, 0, 0], [1, 2 * self.damping * w0, w0**2], FS_HZ)
        low = signal.butter(2, ANTI_ALIAS_HZ, fs=FS_HZ, output="sos")
        return np.vstack([np.concatenate([b, a])[None, :], low])
