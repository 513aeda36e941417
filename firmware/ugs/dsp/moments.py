# SPDX-License-Identifier: MIT
# Conditioning: how impulsive half a second of the foot band is, and how fast it oscillates.
#
# Kurtosis m4 / m2^2 is 3 for Gaussian noise and above 10 for one step in silence (Succi, SPIE
# 4393, 2001). Samples are scaled to 7 bits by the largest, so that 128 fourth powers fit 31 bits.
# Both results are logarithms, sixteenths of an octave.

from array import array

import micropython
from micropython import const

_BLOCK = const(32)
_N = const(128)
_PEAK = const(127)
_SIGN = const(0x20000000)  # signed loads: see ugs.dsp.intake
_WORD = const(0x3FFFFFFF)

_AT = const(0)
_LARGEST = const(1)
_KURTOSIS = const(2)
_CROSSINGS = const(3)


@micropython.viper
def _add(block: ptr32, window: ptr32, state: ptr32):
    at = state[_AT]
    largest = state[_LARGEST]
    if at == 0:
        largest = 0
    i = 0
    while i < _BLOCK:
        x = ((block[i] + _SIGN) & _WORD) - _SIGN
        window[at + i] = x
        if x < 0:
            x = -x
        if x > largest:
            largest = x
        i += 1
    state[_AT] = (at + _BLOCK) & (_N - 1)
    state[_LARGEST] = largest


@micropython.viper
def _log2_x16(x: int) -> int:
    octave = 0
    while x >= 32:
        x >>= 1
        octave += 1
    while x < 16:
        x <<= 1
        octave -= 1
    return ((octave + 4) << 4) + x - 16


@micropython.viper
def _sums(window: ptr32, state: ptr32, largest: int):
    down = 0
    while (largest >> down) > _PEAK:
        down += 1
    up = 0
    while (largest << up) <= _PEAK >> 1 and up < 7:
        up += 1
    second = 0
    fourth = 0
    crossings = 0
    before = 0
    i = 0
    while i < _N:
        x = ((((window[i] + _SIGN) & _WORD) - _SIGN) << up) >> down
        q = x * x
        second += q  # below 2^21
        q >>= 4
        fourth += q * q  # below 2^27
        if x < 0:
            if before >= 0:
                crossings += 1
        elif before < 0:
            crossings += 1
        before = x
        i += 1
    state[_KURTOSIS] = second
    state[_LARGEST] = fourth
    state[_CROSSINGS] = crossings


class Moments:
    def __init__(self):
        self._window = array("i", [0] * _N)
        self._state = array("i", [0] * 4)
        self.kurtosis_x16 = 0
        self.crossings = 0

    def add(self, block):
        # a block of 32 samples; `measure` after the fourth
        _add(block, self._window, self._state)

    def measure(self):
        state = self._state
        _sums(self._window, state, max(1, state[_LARGEST]))
        second, fourth = state[_KURTOSIS], state[_LARGEST]
        # log2(n * m4 / m2^2): 128 = 2^7, and fourth holds 2^8 of it less
        kurtosis = 15 * 16 + _log2_x16(max(1, fourth)) - 2 * _log2_x16(max(1, second))
        self.kurtosis_x16 = max(0, min(112, kurtosis))
        self.crossings = state[_CROSSINGS]
