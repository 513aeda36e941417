# SPDX-License-Identifier: MIT
# Detection: loud for seconds, by level alone. No trained class is involved.
#
# The level of each hop is taken relative to the node's own floor. It is compared with the ordered
# levels of the last four minutes (order-statistic CFAR: Rohling, IEEE Trans. AES 19, 608), so that
# continuous gusts and machines raise the threshold themselves. Two time constants: 9 dB over the
# threshold for most of 5 s, such as a fast car or a runner near by, and 6 dB for most of 16 s. One
# knock is short and opens nothing. Nothing is learned while a level keeps an activity alive, for
# two minutes at most.

import micropython
from micropython import const

_RECENT = const(32)  # hops = 16 s
_MASK = const(31)
_FAST = const(10)  # hops = 5.1 s
_FAST_ENOUGH = const(8)
_SLOW_ENOUGH = const(26)  # of _RECENT
_STILL = const(5)  # of _FAST keep it alive
_PAST = const(64)  # of eight hops each: 262 s
_MIDDLE = const(32)
_UPPER = const(48)
# One unit is a sixteenth of an octave, 0.38 dB.
_FAST_OVER = const(24)  # 9 dB
_SLOW_OVER = const(16)  # 6 dB
_DOWN = const(5)  # it continues 2 dB lower
_APART = const(59)  # hops = 30 s between two that stay unclassified
_LONGEST = const(234)  # hops = 2 min: a longer level is the site's own noise


@micropython.viper
def _count(levels: ptr8, at: int, size: int, least: int) -> int:
    # how many of the `size` levels before `at` reach `least`
    n = 0
    i = 0
    while i < size:
        i += 1
        if levels[(at - i) & _MASK] >= least:
            n += 1
    return n


@micropython.viper
def _ordered(levels: ptr8, rank: int) -> int:
    # the lowest level that more than `rank` of _PAST do not exceed, by halving
    low = 0
    high = 255
    while low < high:
        middle = (low + high) >> 1
        n = 0
        i = 0
        while i < _PAST:
            if levels[i] <= middle:
                n += 1
            i += 1
        if n > rank:
            high = middle
        else:
            low = middle + 1
    return low


class Rise:
    # is_loud: the level is high enough, for long enough, to open an activity
    # goes_on: the same to keep it alive
    # held_back: how often it was loud too soon after one that stayed unclassified

    def __init__(self):
        self.is_loud = False
        self.goes_on = False
        self.held_back = 0
        self._recent = bytearray(_RECENT)
        self._past = bytearray(_PAST)
        self._hop = 0
        self._is_new = True
        self._highest = 0
        self._bar = 0
        self._kept = 255
        self._stands = False
        self._wait = 0
        self._since = 0

    def take(self, over):
        # each hop; over: level above the floor, 64 to the octave
        recent, at = self._recent, self._hop + 1
        self._hop = at & 0xFFFF
        level = min(255, max(0, over >> 2))
        recent[(at - 1) & _MASK] = level
        self._highest = max(self._highest, level)
        if at & 7 == 0 and not self.goes_on:
            self._learn((at >> 3) % _PAST)
        if self._wait:
            self._wait -= 1
        bar = self._bar
        stands = (
            _count(recent, at, _FAST, bar + _FAST_OVER) >= _FAST_ENOUGH
            or _count(recent, at, _RECENT, bar + _SLOW_OVER) >= _SLOW_ENOUGH
        )
        if stands and not self._stands:
            self.is_loud = not self._wait
            self.held_back += 1 if self._wait else 0
            self._kept = bar + _SLOW_OVER - _DOWN
            self._since = 0
        self._stands = stands
        self.is_loud = self.is_loud and stands
        self._since += 1
        self.goes_on = self._since < _LONGEST and _count(recent, at, _FAST, self._kept) >= _STILL

    def _learn(self, at):
        past = self._past
        if self._is_new:
            self._is_new = False
            for i in range(_PAST):
                past[i] = self._highest
        past[at] = self._highest
        self._highest = 0
        middle = _ordered(past, _MIDDLE)
        self._bar = middle + 2 * (_ordered(past, _UPPER) - middle)

    def end(self, has_name):
        # an activity has ended; a level that stays high opens no other
        self.is_loud = False
        self._kept = 255
        if not has_name:
            self._wait = _APART
