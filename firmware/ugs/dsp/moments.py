# SPDX-License-Identifier: MIT
# Conditioning: kurtosis of the foot band over the last 2 s (3 is Gaussian, steps are far above).

from array import array

import micropython
from micropython import const

_LENGTH = const(512)
_MASK = const(511)
_N = const(32)
_SIGN = const(0x20000000)  # signed loads: see ugs.dsp.intake
_WORD = const(0x3FFFFFFF)


@micropython.viper
def _push(block: ptr32, ring: ptr32, at: int):
    i = 0
    while i < _N:
        ring[(at + i) & _MASK] = block[i]
        i += 1


@micropython.viper
def _sum(ring: ptr32, out: ptr32):
    peak = 1
    i = 0
    while i < _LENGTH:
        x = ((ring[i] + _SIGN) & _WORD) - _SIGN
        if x < 0:
            x = -x
        if x > peak:
            peak = x
        i += 1
    down = 0  # scale the window to 10 bits: sums of x^2 and x^4 then fit 31
    up = 0
    while (peak >> down) >= 1024:
        down += 1
    while (peak << up) < 512:
        up += 1
    m2 = 0
    m4 = 0
    i = 0
    while i < _LENGTH:
        x = ((((ring[i] + _SIGN) & _WORD) - _SIGN) << up) >> down
        square = (x * x) >> 5
        m2 += square
        m4 += (square * square) >> 10
        i += 1
    out[0] = m2
    out[1] = m4


class Moments:
    def __init__(self):
        self._ring = array("i", [0] * _LENGTH)
        self._at = 0
        self._sums = array("i", [0, 0])

    def push(self, block):
        _push(block, self._ring, self._at)
        self._at = (self._at + _N) & _MASK

    def kurtosis_x16(self):
        _sum(self._ring, self._sums)
        # means: m2 below 2^15, m4 (cut by 10 bits) below 2^20
        m2 = self._sums[0] >> 9
        m4 = self._sums[1] >> 9
        square = (m2 * m2) >> 10
        return (m4 << 4) // max(1, square)
