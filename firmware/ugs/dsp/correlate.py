# SPDX-License-Identifier: MIT
# Conditioning: autocorrelation of the level history after taking out its slow part.

from array import array

import micropython
from micropython import const

_MASK = const(255)
_HALF = const(16)  # the local mean spans 33 levels = 1.06 s: gusts and approach go, steps stay
_CLIP = const(160)  # 2.5 octaves: one loud knock must not outweigh many steps

LAGS = const(109)
_AT = const(0)
_COUNT = const(1)


@micropython.viper
def _detrend(history: ptr32, out: ptr32, state: ptr32):
    n = state[_COUNT]
    first = state[_AT] - n  # negative indices wrap by the mask
    total = 0
    inside = 0
    i = 0
    while i < _HALF:
        total += history[(first + i) & _MASK]
        inside += 1
        i += 1
    i = 0
    while i < n:
        if i + _HALF < n:
            total += history[(first + i + _HALF) & _MASK]
            inside += 1
        if i > _HALF:
            total -= history[(first + i - _HALF - 1) & _MASK]
            inside -= 1
        # (x * inside - total) / inside without a division: inside is 17..33, nearly all 33
        x = (history[(first + i) & _MASK] * inside - total) >> 5
        if x > _CLIP:
            x = _CLIP
        elif x < -_CLIP:
            x = -_CLIP
        out[i] = x + _CLIP
        i += 1


@micropython.viper
def _products(x: ptr32, out: ptr32, state: ptr32):
    # x holds level + _CLIP, never negative; the offset's share is taken out of each sum:
    # sum (x - c)(x' - c) = sum x x' - c (sum x + sum x') + m c^2, at most 320^2 * 256 = 2^24.7
    n = state[_COUNT]
    head = 0
    i = 0
    while i < n:
        head += x[i]
        i += 1
    tail = head
    lag = 0
    while lag < LAGS:
        total = 0
        i = lag
        while i < n:
            total += x[i] * x[i - lag]
            i += 1
        m = n - lag
        out[lag] = total - _CLIP * (head + tail) + m * _CLIP * _CLIP
        head -= x[m - 1]
        tail -= x[lag]
        lag += 1


class Correlator:
    def __init__(self):
        self.products = array("i", [0] * LAGS)
        self._levels = array("i", [0] * 256)
        self._state = array("i", [0, 0])

    def run(self, history, at, count):
        # products[lag] over the last `count` levels before ring index `at`
        self._state[_AT] = at
        self._state[_COUNT] = count
        _detrend(history, self._levels, self._state)
        _products(self._levels, self.products, self._state)
