# SPDX-License-Identifier: MIT
# Verdict: the strongest peaks of an autocorrelation of levels in three spans of periods.
#
#   quick   0.16..0.48 s  the feet of an animal, of a runner, of several people
#   walk    0.45..0.90 s  one walker's steps
#   slow    0.93..3.33 s  strides, strokes of a tool

from array import array

import micropython
from micropython import const

SPANS = const(3)
_FIRST = (5, 14, 29)
_LAST = (15, 28, 104)  # lags of 32 ms


@micropython.viper
def _peak(r: ptr32, first: int, last: int, out: ptr32, at: int):
    # the highest lag that is no lower than its neighbours; 0 where there is none
    best = 0
    found = 0
    lag = first
    while lag <= last:
        x = r[lag]
        if x > best and x >= r[lag - 1] and x >= r[lag + 1]:
            best = x
            found = lag
        lag += 1
    out[2 * at] = best
    out[2 * at + 1] = found


class Beats:
    def __init__(self):
        self.peaks = array("i", [0] * (2 * SPANS))  # height (8192 is 0, 12288 is 1) and lag

    def find(self, r):
        # r as ugs.detect.cadence keeps it
        for span in range(SPANS):
            _peak(r, _FIRST[span], _LAST[span], self.peaks, span)
