# SPDX-License-Identifier: MIT
# Conditioning: the spread of the last levels: what a tenth, a half and nine tenths stay below.

from array import array

import micropython
from micropython import const

_MASK = const(255)
_BINS = const(64)
_SHIFT = const(4)  # a quarter of an octave each: 16 octaves hold every level
_COUNT = const(0)
_SUM = const(1)


@micropython.viper
def _histogram(history: ptr16, at: int, count: int, bins: ptr32, state: ptr32):
    i = 0
    while i < _BINS:
        bins[i] = 0
        i += 1
    total = 0
    i = 0
    while i < count:
        level = history[(at - 1 - i) & _MASK]
        total += level
        b = level >> _SHIFT
        if b >= _BINS:
            b = _BINS - 1
        bins[b] += 1
        i += 1
    state[_COUNT] = count
    state[_SUM] = total


@micropython.viper
def _below(bins: ptr32, wanted: int) -> int:
    # level below which `wanted` of them lie, a straight line within the bin
    seen = 0
    i = 0
    while i < _BINS:
        n = bins[i]
        if seen + n >= wanted and n > 0:
            part = 0
            step = 0
            while part < 15 and step + n <= (wanted - seen) << 4:
                step += n
                part += 1
            return (i << _SHIFT) + part
        seen += n
        i += 1
    return _BINS << _SHIFT


class Quantiles:
    # of levels as ugs.dsp.compress keeps them, 64 to the octave
    def __init__(self):
        self._bins = array("i", [0] * _BINS)
        self._state = array("i", [0, 0])

    def take(self, levels, at, count):
        # the last `count` levels, a power of two, before ring index `at`
        _histogram(levels, at, count, self._bins, self._state)

    def below(self, tenths):
        return _below(self._bins, (self._state[_COUNT] * tenths) // 10)

    def mean(self):
        return self._state[_SUM] // max(1, self._state[_COUNT])
