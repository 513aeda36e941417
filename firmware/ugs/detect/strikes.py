# SPDX-License-Identifier: MIT
# Verdict: what the picked pulses of the last 8 s say: how many, how even in time and strength.

from array import array

import micropython
from micropython import const

_SLOT = const(31)
_KEPT = const(32)
_CLOCK = const(0xFFFFFFF)  # as ugs.detect.picker
_WINDOW = const(2000)  # samples = 8 s


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


class Strikes:
    def __init__(self):
        self._gaps = array("i", [0] * _KEPT)
        self._logs = array("i", [0] * _KEPT)
        self.count = 0
        self.gap = 0  # mean, samples
        self.uneven = 0  # mean departure of a gap from the mean one, 64 = as large as it
        self.longest = 0  # samples
        self.swing = 0  # mean change of level from one to the next, sixteenths of an octave
        self.spread = 0  # highest less lowest level

    def take(self, times, levels, picks, now):
        gaps, logs = self._gaps, self._logs
        count = self.count = _collect(times, levels, picks, now, gaps, logs)
        self.gap = self.uneven = self.longest = self.swing = self.spread = 0
        if count < 3:
            return
        total = longest = swing = 0
        high = low = logs[0]
        for i in range(count - 1):
            gap = gaps[i]
            total += gap
            if gap > longest:
                longest = gap
            level = logs[i + 1]
            swing += abs(level - logs[i])
            if level > high:
                high = level
            elif level < low:
                low = level
        mean = total // (count - 1)
        off = 0
        for i in range(count - 1):
            off += abs(gaps[i] - mean)
        self.gap = mean
        self.uneven = min(255, (off << 6) // max(1, total))
        self.longest = longest
        self.swing = swing // (count - 1)
        self.spread = high - low
