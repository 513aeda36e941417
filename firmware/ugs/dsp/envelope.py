# SPDX-License-Identifier: MIT
# Conditioning: rectified and smoothed level, at 250 Hz and as four means per block (31.25 Hz).
#
# A level counts sixteenths of a unit: 0.25 nm/s.

from array import array

import micropython
from micropython import const

_N = const(32)
_TOP = const(524287)  # 2^19: the long average holds 2^10 times a level in 31 bits
_PEAK = const(1)
_SIGN = const(0x20000000)  # signed loads: see ugs.dsp.intake
_WORD = const(0x3FFFFFFF)
PER_BLOCK = const(4)


@micropython.viper
def _follow(block: ptr32, fine: ptr32, slow: ptr32, state: ptr32):
    acc = state[0]
    peak = 0
    mean = 0
    i = 0
    while i < _N:
        x = ((block[i] + _SIGN) & _WORD) - _SIGN
        if x < 0:
            x = -x
        if x > peak:
            peak = x
        acc += (x << 4) - (acc >> 2)  # one pole of 4 samples: 10 Hz
        level = acc >> 2
        if level > _TOP:
            level = _TOP
        fine[i] = level
        mean += level
        if (i & 7) == 7:
            slow[i >> 3] = mean >> 3
            mean = 0
        i += 1
    state[0] = acc
    state[_PEAK] = peak


class Envelope:
    def __init__(self):
        self.fine = array("i", [0] * _N)
        self.slow = array("i", [0] * PER_BLOCK)
        self._state = array("i", [0, 0])

    def follow(self, block):
        _follow(block, self.fine, self.slow, self._state)

    def peak(self):
        # largest |sample| of the last block, in units
        return self._state[_PEAK]
