# SPDX-License-Identifier: MIT
"""Board, simulated: geophone and anti-alias filter of each board, from its component values.

Without it a take reaches the converter through an ideal filter. With it the ground passes the coil,
its damping and the RC of the board's README, and what lies above half the sample rate folds back.
It is for takes of ground velocity: a simulated world has passed a coil and a filter of its own
(sim_hardware.world.geophone).
"""

from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal as dsp
from scipy.fft import next_fast_len

from sim_hardware.signals import FArray

# Of the feed: ground up to 500 Hz, a multiple of the rate at which the boards sample.
ANALOGUE_FS_HZ = 1000


@dataclass(frozen=True)
class Geophone:
    """A moving coil. `open_damping` without any load; `sensitivity` in V/(m/s) without load."""

    natural_hz: float
    open_damping: float
    sensitivity: float
    coil_ohm: float
    mass_kg: float


@dataclass(frozen=True)
class FrontEnd:
    """What is between ground and converter. `shunt_ohm`: across the coil, None without one.

    `rc`: stages of (ohm, farad). `mean_s`: the converter gives the mean over this time.
    """

    geophone: Geophone
    shunt_ohm: float | None
    rc: tuple[tuple[float, float], ...]
    mean_s: float = 0.0

    @property
    def damping(self) -> float:
        """Share of critical damping: the coil's own, and of the current through the shunt."""
        coil = self.geophone
        if self.shunt_ohm is None:
            return coil.open_damping
        brake = coil.sensitivity**2 / (coil.coil_ohm + self.shunt_ohm)
        return coil.open_damping + brake / (2 * 2 * pi * coil.natural_hz * coil.mass_kg)

    def response(self, f_hz: NDArray[np.float64]) -> NDArray[Any]:
        """Complex gain at (n,) frequencies, 1 for an unloaded coil far above its own frequency."""
        s = 2j * pi * f_hz
        w0 = 2 * pi * self.geophone.natural_hz
        gain = s**2 / (s**2 + 2 * self.damping * w0 * s + w0**2)
        if self.shunt_ohm is not None:
            gain = gain * self.shunt_ohm / (self.shunt_ohm + self.geophone.coil_ohm)
        for ohm, farad in self.rc:
            gain = gain / (1 + s * ohm * farad)
        return np.asarray(gain * np.sinc(f_hz * self.mean_s), np.complex128)

    def pass_on(self, velocity_m_s: FArray, fs_hz: float) -> FArray:
        """float32 (m,) at ANALOGUE_FS_HZ: what the converter sees, as ground velocity in m/s."""
        samples = round(velocity_m_s.size * ANALOGUE_FS_HZ / fs_hz)
        padded = next_fast_len(velocity_m_s.size + round(2 * fs_hz), real=True)
        f_hz = np.asarray(np.fft.rfftfreq(padded, 1 / fs_hz), np.float64)
        spectrum = np.fft.rfft(np.asarray(velocity_m_s, np.float64), padded)
        passed = spectrum * self.response(f_hz)
        filtered = np.fft.irfft(passed, padded)[: velocity_m_s.size]
        if fs_hz != ANALOGUE_FS_HZ:
            filtered = dsp.resample(filtered, samples)
        return np.asarray(filtered, np.float32)


# SM-24 datasheet (ION): 10 Hz, 28.8 V/(m/s), 375 ohm, 11 g, damping 0.25 open and 0.60 at 1339 ohm.
SM_24 = Geophone(10.0, 0.25, 28.8, 375.0, 0.011)
# By firmware/boards/<board>/README.md. The ADS1220 gives the mean over a conversion at 1000 SPS.
FRONT_ENDS = {
    "pico_w": FrontEnd(SM_24, None, ((1_000.0, 1e-6),)),
    "esp32": FrontEnd(SM_24, 1_000.0, (), 1e-3),
}
