# SPDX-License-Identifier: MIT
# Trigger: picks single steps as local maxima of the 250 Hz level, at least 180 ms apart.

from array import array

import micropython
from micropython import const

_N = const(32)
_REFRACTORY = const(45)  # samples = 180 ms
KEPT = const(32)
_SLOT = const(31)
# Strokes: groups of picks a second apart; of the last 24 s, and at least 8 s from first to last.
_STROKES_WINDOW = const(6000)
_APART = const(250)
_SPREAD = const(2000)
CLOCK = const(0xFFFFFFF)  # sample clock of 28 bits: wraps after 12 days, differences are masked

_NOW = const(0)
_THRESHOLD = const(1)
_BEST = const(2)
_BEST_AT = const(3)
_PICKS = const(4)


@micropython.viper
def _pick(fine: ptr32, times: ptr32, levels: ptr32, state: ptr32):
    now = state[_NOW]
    threshold = state[_THRESHOLD]
    best = state[_BEST]
    at = state[_BEST_AT]
    i = 0
    while i < _N:
        level = fine[i]
        if best == 0:
            if level > threshold:
                best = level
                at = now
        elif level > best:
            best = level
            at = now
        elif ((now - at) & CLOCK) >= _REFRACTORY:
            slot = state[_PICKS] & _SLOT
            times[slot] = at
            levels[slot] = best
            state[_PICKS] = (state[_PICKS] + 1) & CLOCK
            best = 0
        now = (now + 1) & CLOCK
        i += 1
    state[_NOW] = now
    state[_BEST] = best
    state[_BEST_AT] = at


@micropython.viper
def _regular(times: ptr32, now: int, picks: int, period: int, window: int) -> int:
    count = 0
    later = -1
    back = 1
    while back <= KEPT and back <= picks:
        at = times[(picks - back) & _SLOT]
        if ((now - at) & CLOCK) > window:
            break
        if later >= 0:
            gap = ((later - at) & CLOCK) * 5
            if gap > period * 4 and gap < period * 6:
                count += 1
            elif gap > period * 8 and gap < period * 12:
                count += 1
        later = at
        back += 1
    return count


@micropython.viper
def _strokes(times: ptr32, now: int, picks: int) -> int:
    count = 0
    later = 0
    newest = 0
    back = 1
    while back <= KEPT and back <= picks:
        at = times[(picks - back) & _SLOT]
        if ((now - at) & CLOCK) > _STROKES_WINDOW:
            break
        if back == 1:
            newest = at
        if back == 1 or ((later - at) & CLOCK) >= _APART:
            count += 1
        later = at
        back += 1
    if back == 1 or ((newest - later) & CLOCK) < _SPREAD:
        return 0
    return count


class Picker:
    def __init__(self):
        self.times = array("i", [0] * KEPT)
        self.levels = array("i", [0] * KEPT)
        self._state = array("i", [0] * 5)

    def pick(self, fine, threshold):
        self._state[_THRESHOLD] = threshold
        _pick(fine, self.times, self.levels, self._state)

    def total(self):
        return self._state[_PICKS]

    def now(self):
        # the clock of `times`
        return self._state[_NOW]

    def time(self, back):
        # of a pick; 1 is the newest, at most KEPT
        return self.times[(self._state[_PICKS] - back) & _SLOT]

    def level(self, back):
        return self.levels[(self._state[_PICKS] - back) & _SLOT]

    def strokes(self):
        # how many came in the last 24 s, 0 if they are less than 8 s from first to last
        state = self._state
        return _strokes(self.times, state[_NOW], state[_PICKS])

    def regular(self, period, window):
        # intervals of the last `window` samples that are one or two periods long, within 1/5
        state = self._state
        return _regular(self.times, state[_NOW], state[_PICKS], period, window)
