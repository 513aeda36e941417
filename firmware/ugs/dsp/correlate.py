# SPDX-License-Identifier: MIT
# Conditioning: autocorrelation of the level history after taking out its slow part.

from array import array

import micropython
from micropython import const

_MASK = const(255)
_HALF = const(16)  # the local mean spans 33 levels = 1.06 s: gusts and approach go, steps stay
_CLIP = const(160)  # 2.5 octaves: one loud knock must not outweigh many steps

LAGS = const(109)
_STEP = const(4)  # products in one go
_AT = const(0)
_COUNT = const(1)
_LAGS = const(2)


@micropython.viper
def _detrend(history: ptr16, out: ptr16, state: ptr32):
    # followed by zeros, which _products may read
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
    while i < n + _STEP - 1:
        out[i] = 0
        i += 1


@micropython.viper
def _products(x: ptr16, i: int, k: int, out: ptr32, state: ptr32):
    # x holds level + _CLIP, never negative; the offset's share is taken out of each sum:
    # sum (x - c)(x' - c) = sum x x' - c (sum x + sum x') + m c^2, at most 320^2 * 256 = 2^24.7
    # Half of the detector's time is spent here. i and k are arguments because the first three names
    # of a function stay in registers.
    n = state[_COUNT]
    lags = state[_LAGS]
    head = 0
    i = 0
    while i < n:
        head += x[i]
        i += 1
    tail = head
    lag = 0
    while lag < lags:
        total = 0
        i = lag
        k = 0
        while i < n:
            total += x[i] * x[k] + x[i + 1] * x[k + 1] + x[i + 2] * x[k + 2] + x[i + 3] * x[k + 3]
            i += _STEP
            k += _STEP
        m = n - lag
        out[lag] = total - _CLIP * (head + tail) + m * _CLIP * _CLIP
        head -= x[m - 1]
        tail -= x[lag]
        lag += 1


class Correlator:
    def __init__(self):
        self.products = array("i", [0] * LAGS)
        self._levels = array("H", [0] * (256 + _STEP - 1))
        self._state = array("i", [0, 0, 0])

    def run(self, history, at, count, lags):
        # products[lag] for so many lags, over the last `count` levels before ring index `at`
        self._state[_AT] = at
        self._state[_COUNT] = count
        self._state[_LAGS] = lags
        _detrend(history, self._levels, self._state)
        _products(self._levels, 0, 0, self.products, self._state)
