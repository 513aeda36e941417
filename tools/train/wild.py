# SPDX-License-Identifier: MIT
"""Train: ground that rings, disperses, hums and clicks: what a simulated half-space lacks.

Half of the sites are wild. Every signal that reaches a node there passes that node's own ground:
resonances of Q 3..20, an echo of 0.1..0.5 s, low frequencies that come later. Added to it are lines
of machines and mains, an electric fence with its exact period, single shocks, falling stones and
the input's own noise. Ranges are wide, from the literature, and of no single place.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import signal

FArray = NDArray[np.float64]
_TAIL_S = 0.6
_MAINS_HZ = (16.67, 25.0, 33.33, 50.0, 60.0)


class WildGround:
    """One node's place. `pass_on` takes and gives m/s at fs_hz, piece by piece."""

    def __init__(self, rng: np.random.Generator, fs_hz: int, floor_nm_s: float) -> None:
        self._rng = rng
        self._fs_hz = fs_hz
        self._kernel = _kernel(rng, fs_hz)
        self._held = np.zeros(self._kernel.size - 1)
        self._extras = _Extras(rng, fs_hz, floor_nm_s)
        self._at = 0

    def pass_on(self, velocity: NDArray[np.float32]) -> FArray:
        """What reaches the geophone, as long as what was given."""
        data = np.asarray(velocity, np.float64)
        shocks, rest = self._extras.piece(self._at, data.size)
        self._at += data.size
        full = signal.oaconvolve(data + shocks * 1e-9, self._kernel)
        full[: self._held.size] += self._held
        self._held = full[data.size :].copy()
        return np.asarray(full[: data.size] + rest * 1e-9)


def _kernel(rng: np.random.Generator, fs_hz: int) -> FArray:
    """Impulse response of the last metres, about the same power in as out."""
    n = int(_TAIL_S * fs_hz)
    kernel = np.zeros(n)
    kernel[0] = 1.0
    if rng.random() < 0.7:  # scattered energy, up to more than arrives directly
        share = rng.uniform(0.05, 0.6)
        decay_s = math.exp(rng.uniform(math.log(0.03), math.log(0.16)))
        tail = rng.standard_normal(n) * np.exp(-np.arange(n) / fs_hz / decay_s)
        kernel = math.sqrt(1 - share) * kernel + tail * math.sqrt(share / np.sum(tail**2))
    spectrum = np.fft.rfft(kernel, 2 * n)
    f_hz = np.fft.rfftfreq(2 * n, 1 / fs_hz)
    for _ in range(int(rng.integers(0, 4))):
        hz = math.exp(rng.uniform(math.log(8), math.log(70)))
        quality = math.exp(rng.uniform(math.log(3), math.log(20)))
        peak = 10 ** (rng.uniform(0, 15) / 20) - 1
        x = quality * (f_hz / hz - hz / np.maximum(f_hz, 0.1))
        spectrum *= 1 + peak / (1 + 1j * x)
    if rng.random() < 0.6:
        spectrum *= (1 + (f_hz / rng.uniform(12, 50)) ** 2) ** rng.uniform(-0.6, 0.4)
    if rng.random() < 0.6:  # slow low frequencies: all-pass, up to 0.12 s later
        late_s, corner_hz = rng.uniform(0.01, 0.12), rng.uniform(6, 25)
        delay = late_s / (1 + (f_hz / corner_hz) ** 2)
        spectrum *= np.exp(-2j * np.pi * np.cumsum(delay) * (f_hz[1] - f_hz[0]))
    out = np.fft.irfft(spectrum)[:n]
    fade = n // 8
    out[n - fade :] *= np.linspace(1, 0, fade)
    inside = (f_hz > 8) & (f_hz < 60)
    power = np.abs(np.fft.rfft(out, 2 * n)[inside]) ** 2
    return np.asarray(out / math.sqrt(float(np.mean(power))))


class _Extras:
    """Shocks, which the ground passes on, and what is added behind it, in nm/s."""

    def __init__(self, rng: np.random.Generator, fs_hz: int, floor_nm_s: float) -> None:
        self._rng = rng
        self._fs_hz = fs_hz
        self._floor = floor_nm_s
        self._lines = [self._line() for _ in range(int(rng.choice([0, 0, 1, 2])))]
        self._white = floor_nm_s * rng.choice([0.0, rng.uniform(0.1, 1.0)])
        self._shocks_per_s = rng.choice([0, 0, rng.uniform(2, 60)]) / 3600
        self._falls_per_s = rng.choice([0, 0, 0, rng.uniform(1, 8)]) / 3600
        has_fence = rng.random() < 0.12
        self._fence_s = rng.uniform(0.9, 1.6) if has_fence else 0.0
        self._fence = floor_nm_s * math.exp(rng.uniform(math.log(10), math.log(150)))
        self._fence_width = int(rng.integers(1, 5))

    def _line(self) -> tuple[float, float, float, float]:
        rng = self._rng
        hz = float(rng.choice(_MAINS_HZ)) if rng.random() < 0.5 else float(rng.uniform(9, 62))
        level = self._floor * math.exp(rng.uniform(math.log(0.3), math.log(8)))
        on_s = float(rng.choice([0.0, rng.uniform(60, 400)]))  # 0: always
        return hz, level * math.sqrt(2), on_s, float(rng.uniform(0, 2 * math.pi))

    def _shock(self, into: FArray, first: int, most: float) -> None:
        """One pulse of 8..26 ms, 20 to `most` times the floor."""
        level = self._floor * math.exp(self._rng.uniform(math.log(20), math.log(most)))
        pulse = level * np.diff(np.hanning(int(self._rng.integers(2, 12)) + 3))
        end = min(into.size, first + pulse.size)
        into[first:end] += pulse[: end - first]

    def piece(self, at: int, count: int) -> tuple[FArray, FArray]:
        """(shocks, the rest) of `count` samples from sample `at` on."""
        rng, fs_hz = self._rng, self._fs_hz
        shocks = np.zeros(count)
        for _ in range(int(rng.poisson(self._shocks_per_s * count / fs_hz))):
            first = int(rng.integers(count))
            for _ in range(int(rng.integers(1, 4))):
                self._shock(shocks, first, 2000)
                first = min(count - 1, first + int(rng.uniform(0.1, 0.8) * fs_hz))
        for _ in range(int(rng.poisson(self._falls_per_s * count / fs_hz))):
            first, last = int(rng.integers(count)), int(rng.uniform(2, 20) * fs_hz)
            for late in rng.integers(0, last, int(rng.integers(4, 40))):
                if first + late < count:
                    self._shock(shocks, first + int(late), 300)
        if self._fence_s:
            period = self._fence_s * fs_hz
            beat = max(0, math.ceil((at - self._fence_width) / period))
            while beat * period < at + count:
                first = int(beat * period) - at
                shocks[max(0, first) : max(0, first + self._fence_width)] += self._fence
                beat += 1
        t_s = (at + np.arange(count)) / fs_hz
        rest = self._white * rng.standard_normal(count)
        for hz, level, on_s, phase in self._lines:
            runs = 1.0 if not on_s else (np.floor(t_s / on_s) % 2 == 0).astype(float)
            rest = rest + level * runs * np.sin(2 * np.pi * hz * t_s + phase)
        return shocks, rest
