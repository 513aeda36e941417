# SPDX-License-Identifier: MIT
# Verdict: footfalls: the picked pulses of the last 8 s: how many, and how even in time and
# strength.

from array import array

import micropython
from micropython import const

_SLOT = const(31)
_KEPT = const(32)
_CLOCK = const(0xFFFFFFF)  # as ugs.detect.picker
_WINDOW = const(2000)  # samples = 8 s
_TOTAL = const(0)
_LONGEST = const(1)
_SWING = const(2)
_SPREAD = const(3)


@micropython.viper
def _collect(times: ptr32, levels: ptr32, picks: int, now: int, gaps: ptr32, logs: ptr32) -> int:
    # gaps in samples and levels in sixteenths of an octave, newest first; returns the picks' count
    count = 0
    later = now
    back = 1
    while back <= _KEPT and back <= picks:
        slot = (picks - back) & _SLOT
        at = times[slot]
        if ((now - at) & _CLOCK) > _WINDOW:
            break
        if count:
            gaps[count - 1] = (later - at) & _CLOCK
        level = levels[slot]
        octave = 0
        while level >= 32:
            level >>= 1
            octave += 1
        logs[count] = (octave << 4) + level
        later = at
        count += 1
        back += 1
    return count


@micropython.viper
def _sum_up(gaps: ptr32, logs: ptr32, count: int, out: ptr32):
    # of all gaps their sum and the longest; of all levels how far they swing and spread
    total = 0
    longest = 0
    swing = 0
    low = logs[0]
    high = low
    i = 1
    while i < count:
        gap = gaps[i - 1]
        total += gap
        if gap > longest:
            longest = gap
        level = logs[i]
        if level > logs[i - 1]:
            swing += level - logs[i - 1]
        else:
            swing += logs[i - 1] - level
        if level > high:
            high = level
        if level < low:
            low = level
        i += 1
    out[_TOTAL] = total
    out[_LONGEST] = longest
    out[_SWING] = swing
    out[_SPREAD] = high - low


@micropython.viper
def _off(gaps: ptr32, count: int, mean: int) -> int:
    off = 0
    i = 0
    while i < count:
        if gaps[i] > mean:
            off += gaps[i] - mean
        else:
            off += mean - gaps[i]
        i += 1
    return off


class Footfalls:
    def __init__(self):
        self._gaps = array("i", [0] * _KEPT)
        self._logs = array("i", [0] * _KEPT)
        self._sums = array("i", [0] * 4)
        self.count = 0
        self.gap = 0  # mean, samples
        self.uneven = 0  # mean deviation of a gap from the mean gap, 64 = as large as it
        self.longest = 0  # samples
        self.swing = 0  # mean change of level from one to the next, sixteenths of an octave
        self.spread = 0  # highest less lowest level

    def take(self, times, levels, picks, now):
        gaps, logs = self._gaps, self._logs
        count = self.count = _collect(times, levels, picks, now, gaps, logs)
        self.gap = self.uneven = self.longest = self.swing = self.spread = 0
        if count < 3:
            return
        sums = self._sums
        _sum_up(gaps, logs, count, sums)
        between, total = count - 1, sums[_TOTAL]
        self.gap = mean = total // between
        self.uneven = min(255, (_off(gaps, between, mean) << 6) // max(1, total))
        self.longest = sums[_LONGEST]
        self.swing = sums[_SWING] // between
        self.spread = sums[_SPREAD]
