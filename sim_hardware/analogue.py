# SPDX-License-Identifier: MIT
"""Board layer, simulated: geophone and anti-alias filter of each board, from its component values.

Without it the converter gets a take through an ideal filter. With it the ground velocity passes the
coil, its damping and the RC of the board (parts/front_end.py), and frequencies above half of the
converter's rate fold back. Use it for takes of ground velocity: the output of a simulated world has
already passed a coil and a filter (sim_hardware.world.geophone).
"""

from dataclasses import dataclass
from math import ceil, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal as dsp
from scipy.fft import next_fast_len

from sim_hardware.parts.front_end import BOARDS
from sim_hardware.signals import FArray


@dataclass(frozen=True)
class FrontEnd:
    """The components between ground and converter. `rc`: ohm and farad of the filter.

    `fs_hz`: rate of the converter, which averages over `mean_s`. The gain of coil, shunt and
    amplifier is not included: the parts of the board compute their scale from the same components.
    """

    natural_hz: float
    damping: float
    rc: tuple[float, float]
    fs_hz: int
    mean_s: float = 0.0

    def response(self, f_hz: NDArray[np.float64]) -> NDArray[Any]:
        """Complex gain at (n,) frequencies, 1 far above the coil's own frequency."""
        s = 2j * pi * f_hz
        w0 = 2 * pi * self.natural_hz
        ohm, farad = self.rc
        gain = s**2 / (s**2 + 2 * self.damping * w0 * s + w0**2) / (1 + s * ohm * farad)
        return np.asarray(gain * np.sinc(f_hz * self.mean_s), np.complex128)

    def pass_on(self, velocity_m_s: FArray, fs_hz: float) -> FArray:
        """Readings float32 (m,) at the converter's rate, as ground velocity in m/s."""
        samples = round(velocity_m_s.size * self.fs_hz / fs_hz)
        padded = next_fast_len(velocity_m_s.size + round(2 * fs_hz), real=True)
        f_hz = np.asarray(np.fft.rfftfreq(padded, 1 / fs_hz), np.float64)
        spectrum = np.fft.rfft(np.asarray(velocity_m_s, np.float64), padded)
        passed = spectrum * self.response(f_hz)
        filtered = np.fft.irfft(passed, padded)[: velocity_m_s.size]
        if fs_hz != self.fs_hz:
            # A faster take is subsampled, so that frequencies above half of the rate fold back.
            times = max(1, ceil(fs_hz / self.fs_hz))
            filtered = dsp.resample(filtered, samples * times)[::times]
        return np.asarray(filtered, np.float32)


def _of_board(board: str) -> FrontEnd:
    parts = BOARDS[board]
    rc = (parts.filter_ohm, parts.filter_f)
    return FrontEnd(parts.geophone.natural_hz, parts.damping(), rc, parts.fs_hz, parts.mean_s)


FRONT_ENDS = {board: _of_board(board) for board in BOARDS}
