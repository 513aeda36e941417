# SPDX-License-Identifier: MIT
# Verdict: the trend of the level over half a minute, and how unsteady the last two minutes were.
#
# A passing target comes and goes: the level of a car is a spindle of 10..40 s, of a machine a
# plateau, of a gust one of many (wind stays unsteady, a car comes out of calm). Levels count 64 to
# the octave.
#
# `numbers`, scaled to 0..255 (ugs.detect.features clips them):
#   0..4   how far the level rose over 2, 4, 8, 16 and 31 s; 128 is not at all
#   5, 6   how far it is under the highest of 33 s, and how long ago that was
#   7      how far it is over the lowest of 33 s
#   8      all changes from hop to hop of the last 8 s
#   9      over the mean of two minutes; 128 is not at all
#   10     share of two minutes in which the trigger was open
#   11     mean height over the floor, two minutes
#   12     mean change within 8 s, two minutes

from array import array

import micropython
from micropython import const

COUNT = const(13)
_KEPT = const(64)  # hops = 33 s
_MASK = const(63)
_EIGHT = const(16)  # hops = 8 s
_SHARE = const(8)  # 2^8 hops = 131 s


@micropython.viper
def _look(levels: ptr32, at: int, numbers: ptr32):
    # at: index of the newest; levels are never negative
    now = levels[at]
    numbers[0] = 128 + ((now - levels[(at - 4) & _MASK]) >> 1)
    numbers[1] = 128 + ((now - levels[(at - 8) & _MASK]) >> 1)
    numbers[2] = 128 + ((now - levels[(at - 16) & _MASK]) >> 1)
    numbers[3] = 128 + ((now - levels[(at - 32) & _MASK]) >> 1)
    numbers[4] = 128 + ((now - levels[(at - 60) & _MASK]) >> 1)
    most = now
    least = now
    since = 0
    rough = 0
    before = now
    back = 1
    while back < _KEPT:
        level = levels[(at - back) & _MASK]
        if level > most:
            most = level
            since = back
        if level < least:
            least = level
        if back <= _EIGHT:
            if level > before:
                rough += level - before
            else:
                rough += before - level
            before = level
        back += 1
    numbers[5] = (most - now) >> 1
    numbers[6] = since << 2
    numbers[7] = (now - least) >> 1
    numbers[8] = rough >> 2


class LevelTrend:
    def __init__(self):
        self.numbers = array("i", [0] * COUNT)
        self._levels = array("i", [0] * _KEPT)
        self._at = 0
        self._is_new = True
        self._mean = 0
        self._open = 0
        self._over = 0
        self._unrest = 0

    def take(self, level, over, is_open):
        # each hop: the level of the last second, how far it stands over the floor, the trigger
        levels, numbers = self._levels, self.numbers
        if self._is_new:
            self._is_new = False
            self._mean = level << _SHARE
            for i in range(_KEPT):
                levels[i] = level
        at = self._at = (self._at + 1) & _MASK
        levels[at] = level
        _look(levels, at, numbers)
        change = abs(level - levels[(at - _EIGHT) & _MASK])
        self._mean += ((level << _SHARE) - self._mean) >> _SHARE
        self._open += ((65536 if is_open else 0) - self._open) >> _SHARE
        self._over += ((over << _SHARE) - self._over) >> _SHARE
        self._unrest += ((change << _SHARE) - self._unrest) >> _SHARE
        numbers[9] = 128 + ((level - (self._mean >> _SHARE)) >> 1)
        numbers[10] = self._open >> _SHARE
        numbers[11] = self._over >> _SHARE
        numbers[12] = self._unrest >> (_SHARE - 1)
