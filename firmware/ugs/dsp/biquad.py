# SPDX-License-Identifier: MIT
# Conditioning: two second-order sections in Q14 with error feedback.
#
# The 14 bits cut from each output are carried into the next sum; without that a quiet signal of a
# few units gets a bias of the same size. Inner sums may wrap modulo 2^32, the result always fits:
# the absolute sum of the cascade's impulse response is below 4, so |y| < 2^17 and y << 14 < 2^31.

from array import array

import micropython
from micropython import const

_N = const(32)
_LOW = const(16383)
_SIGN = const(0x20000000)  # signed loads: see ugs.dsp.intake
_WORD = const(0x3FFFFFFF)

# 10..60 Hz: Butterworth high-pass and low-pass of order 2 at fs 250 Hz. b0 b1 b2 a1 a2, Q14.
FOOT_BAND = (13715, -27430, 13715, -26992, 11483, 4501, 9002, 4501, -1206, 2827)


@micropython.viper
def _run(block: ptr32, coefs: ptr32, state: ptr32):
    section = 0
    while section < 2:
        c = section * 5
        b0 = ((coefs[c] + _SIGN) & _WORD) - _SIGN
        b1 = ((coefs[c + 1] + _SIGN) & _WORD) - _SIGN
        b2 = ((coefs[c + 2] + _SIGN) & _WORD) - _SIGN
        a1 = ((coefs[c + 3] + _SIGN) & _WORD) - _SIGN
        a2 = ((coefs[c + 4] + _SIGN) & _WORD) - _SIGN
        x1 = ((state[c] + _SIGN) & _WORD) - _SIGN
        x2 = ((state[c + 1] + _SIGN) & _WORD) - _SIGN
        y1 = ((state[c + 2] + _SIGN) & _WORD) - _SIGN
        y2 = ((state[c + 3] + _SIGN) & _WORD) - _SIGN
        left = state[c + 4]
        i = 0
        while i < _N:
            x = ((block[i] + _SIGN) & _WORD) - _SIGN
            total = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2 + left
            y = total >> 14
            left = total & _LOW
            x2 = x1
            x1 = x
            y2 = y1
            y1 = y
            block[i] = y
            i += 1
        state[c] = x1
        state[c + 1] = x2
        state[c + 2] = y1
        state[c + 3] = y2
        state[c + 4] = left
        section += 1


class Cascade:
    def __init__(self, coefs):
        self._coefs = array("i", coefs)
        self._state = array("i", [0] * 10)

    def run(self, block):
        # filters the block in place
        _run(block, self._coefs, self._state)
