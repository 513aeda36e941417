# SPDX-License-Identifier: MIT
# Trigger: minimum statistics, an upper bound for the noise floor from the quietest moments.
#
# The smallest mean of 0.26 s within the last minute, kept as 16 minima of 4.1 s. For steady
# Gaussian noise that minimum is 0.50..0.60 of the mean level, so a bound of 5/2 of it does not
# affect steady noise.

from array import array

from micropython import const

_BLOCKS = const(2)
_MEANS = const(16)
_SLOTS = const(16)
_NONE = const(1 << 19)


class Minimum:
    def __init__(self):
        self._minima = array("i", [_NONE] * _SLOTS)
        self._slot = 0
        self._means = 0
        self._blocks = 0
        self._sum = 0
        self._current = _NONE

    def add(self, slow):
        # takes the four levels of one block; True when the bound may have changed
        self._sum += slow[0] + slow[1] + slow[2] + slow[3]
        self._blocks += 1
        if self._blocks < _BLOCKS:
            return False
        mean = self._sum >> 3
        self._blocks = 0
        self._sum = 0
        self._current = min(self._current, mean)
        self._means += 1
        if self._means >= _MEANS:
            self._minima[self._slot] = self._current
            self._slot = (self._slot + 1) % _SLOTS
            self._means = 0
            self._current = _NONE
        return True

    def bound(self):
        least = self._current
        for i in range(_SLOTS):
            if self._minima[i] < least:
                least = self._minima[i]
        return min(_NONE, (least * 5) >> 1)
