# SPDX-License-Identifier: MIT
# Conditioning: levels on a logarithmic scale of 64 steps per octave, kept for 8.2 s.
#
# A step stands out by a ratio, near or far, so rhythm is searched in the logarithm. The floor is
# added first: below it the logarithm would only stretch noise. Between powers of two the scale is a
# straight line (at most 0.09 octave off), which needs no table.

from array import array

import micropython
from micropython import const

LENGTH = const(256)
_MASK = const(255)
_PER_BLOCK = const(4)


@micropython.viper
def _push(slow: ptr32, history: ptr16, at: int, floor: int) -> int:
    # returns the level of silence
    i = 0
    while i <= _PER_BLOCK:
        level = floor + 64
        if i < _PER_BLOCK:
            level += slow[i]
        octave = 6
        while level >= 128:
            level >>= 1
            octave += 1
        level += (octave << 6) - 64
        if i == _PER_BLOCK:
            return level
        history[(at + i) & _MASK] = level
        i += 1
    return 0


class History:
    def __init__(self):
        self.levels = array("H", [0] * LENGTH)
        self.at = 0  # index of the oldest level, where the next one goes
        self.filled = 0
        self.floor = 0  # the present level of silence

    def push(self, slow, floor):
        self.floor = _push(slow, self.levels, self.at, floor)
        self.at = (self.at + _PER_BLOCK) & _MASK
        if self.filled < LENGTH:
            self.filled += _PER_BLOCK
