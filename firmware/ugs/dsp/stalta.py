# SPDX-License-Identifier: MIT
# Trigger: recursive short over long average of the 31.25 Hz level, with hysteresis.
#
# The long average is the noise floor. It is frozen while the trigger is open (a walker must not
# raise the floor that he is measured against), for 60 s at most; then it follows 16 times slower.
# The smallest of the 0.25 s means of the last minute bounds it from above. This bound adapts
# quickly after noise falls, and is right at power-on even if a person walks by: between two steps
# the ground is quiet.

from array import array

import micropython
from micropython import const

_STA_SHIFT = const(3)  # 8 levels = 0.26 s
_LTA_SHIFT = const(10)  # 1024 levels = 33 s
_ON_X16 = const(40)  # opens at 2.5
_OFF_X16 = const(26)  # closes at 1.6
_ABOVE = const(2)  # levels above before opening: 64 ms
_BELOW = const(4)  # levels below before closing: 128 ms
_FREEZE = const(1875)  # 60 s of levels
_SLOW = const(4)
READY = const(94)  # 3 s of levels before the floor is valid

_STA = const(0)
_LTA = const(1)
_COUNT = const(2)  # levels seen, up to 2^10
_SHIFT = const(3)
_OPEN = const(4)
_RUN = const(5)
_FROZEN = const(6)
_CAP = const(7)


@micropython.viper
def _step(slow: ptr32, state: ptr32):
    i = 0
    while i < 4:
        x = slow[i]
        i += 1
        n = state[_COUNT]
        shift = state[_SHIFT]
        if n < 1024:
            # running mean at first: the window doubles until it has its full length
            n += 1
            state[_COUNT] = n
            if n == 1:
                state[_STA] = x << _STA_SHIFT
                state[_LTA] = x
            if (n >> shift) >= 2 and shift < _LTA_SHIFT:
                shift += 1
                state[_SHIFT] = shift
                state[_LTA] = state[_LTA] << 1
        sta = state[_STA]
        sta += x - (sta >> _STA_SHIFT)
        state[_STA] = sta
        lta = state[_LTA]
        if state[_OPEN] == 0 or n < READY:
            lta += x - (lta >> shift)
        else:
            if state[_FROZEN] >= _FREEZE:
                lta += (x - (lta >> shift)) >> _SLOW
            else:
                state[_FROZEN] += 1
        if (lta >> shift) > state[_CAP]:
            lta = state[_CAP] << shift
        state[_LTA] = lta
        floor = lta >> shift
        short = sta >> _STA_SHIFT
        if state[_OPEN] == 0:
            if (short << 4) > floor * _ON_X16 and n >= READY:
                state[_RUN] += 1
                if state[_RUN] >= _ABOVE:
                    state[_OPEN] = 1
                    state[_RUN] = 0
                    state[_FROZEN] = 0
            else:
                state[_RUN] = 0
        else:
            if (short << 4) < floor * _OFF_X16:
                state[_RUN] += 1
                if state[_RUN] >= _BELOW:
                    state[_OPEN] = 0
                    state[_RUN] = 0
            else:
                state[_RUN] = 0


class StaLta:
    def __init__(self):
        self._state = array("i", [0, 0, 0, 0, 0, 0, 0, 1 << 19])

    def step(self, slow):
        _step(slow, self._state)

    def bound(self, level):
        # the floor stays at or below this level
        self._state[_CAP] = level

    def is_open(self):
        return self._state[_OPEN] != 0

    def is_ready(self):
        return self._state[_COUNT] >= READY

    def floor(self):
        # at least one, so that callers may divide
        return max(1, self._state[_LTA] >> self._state[_SHIFT])

    def short(self):
        return self._state[_STA] >> _STA_SHIFT
