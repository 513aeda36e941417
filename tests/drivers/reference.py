# SPDX-License-Identifier: MIT
"""The decimator of ugs.dsp.decimate in numpy: its taps by design, its response, its samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

RAW_HZ, HALF_HZ, FS_HZ = 4000, 500, 250
BY = 16
ORDER, SUM_OF = 6, 8  # running sums, and how many readings each covers
TAPS = 32
UNIT = 1 << 13
PASS_HZ, STOP_HZ = 100.0, 150.0
SETTLE = 19
DELAY = 145
_STOP_WEIGHT = 10.0

Floats = NDArray[np.float64]


def sums_gain(f_hz: Floats) -> Floats:
    """Gain of the six running sums, 1 at 0 Hz."""
    x = np.pi * np.maximum(f_hz, 1e-9) / RAW_HZ
    return np.asarray((np.sin(SUM_OF * x) / (SUM_OF * np.sin(x))) ** ORDER, np.float64)


def gain(taps: NDArray[np.int64], f_hz: Floats) -> Floats:
    """Magnitude of the whole filter at frequencies below 2 kHz, before what folds is folded."""
    place = np.arange(TAPS) - (TAPS - 1) / 2
    of_taps = np.cos(2 * np.pi * np.outer(f_hz, place) / HALF_HZ) @ (taps / UNIT)
    return np.asarray(np.abs(of_taps * sums_gain(f_hz)), np.float64)


def design() -> NDArray[np.int64]:
    """(32,) taps: the least largest error of the whole in pass band and stop band, as integers."""
    pass_hz, stop_hz = np.linspace(0, PASS_HZ, 201), np.linspace(STOP_HZ, HALF_HZ / 2, 201)
    place = np.arange(TAPS // 2) + 0.5

    def basis(f_hz: Floats) -> Floats:
        wave = 2 * np.cos(2 * np.pi * np.outer(f_hz, place) / HALF_HZ)
        return np.asarray(wave * sums_gain(f_hz)[:, None], np.float64)

    one = np.ones((201, 1))
    flat, stop = basis(pass_hz), basis(stop_hz)
    rows = [[flat, -one], [-flat, -one], [stop, -one / _STOP_WEIGHT], [-stop, -one / _STOP_WEIGHT]]
    limits = np.concatenate([np.ones(201), -np.ones(201), np.zeros(402)])
    cost = np.append(np.zeros(TAPS // 2), 1.0)
    bounds = [(None, None)] * (TAPS // 2) + [(0, None)]
    found = linprog(cost, np.block(rows), limits, bounds=bounds).x[:-1]
    taps = np.concatenate([found[::-1], found])
    whole = np.round(taps / taps.sum() * UNIT).astype(np.int64)
    whole[TAPS // 2 - 1 : TAPS // 2 + 1] += (UNIT - int(whole.sum())) // 2
    return whole


def samples(codes: NDArray[np.integer[Any]], taps: NDArray[np.int64]) -> NDArray[np.int64]:
    """All samples from readings of 12 bits, the first ones from a filter that starts at nothing."""
    sums = np.concatenate([np.zeros(0, np.int64), codes.astype(np.int64)])
    for _ in range(ORDER):
        sums = np.convolve(sums, np.ones(SUM_OF, np.int64))[: codes.size]
    line = (sums[SUM_OF - 1 :: SUM_OF] >> 15) - (1 << 14)
    # Before the first reading the line holds zeros, which are mid-rail.
    whole = np.concatenate([np.zeros(TAPS - 2, np.int64), line])
    windows = np.lib.stride_tricks.sliding_window_view(whole, TAPS)[::2]
    return np.asarray(windows @ taps + (1 << 13) >> 14, np.int64)
