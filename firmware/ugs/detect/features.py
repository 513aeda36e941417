# SPDX-License-Identifier: MIT
# Verdict: the input of the forest: 86 numbers of 0..255 for each hop of half a second.
#
# Levels are relative to the node's own floor and bands to their own floors, so that a number means
# the same near a road and in a desert. tools/train/names.py names them, in this order.

from array import array

import micropython
from micropython import const

from ugs.detect.beats import SPANS, Beats
from ugs.detect.footfalls import Footfalls
from ugs.detect.shape import SpectralShape
from ugs.detect.trend import COUNT as _TREND
from ugs.detect.trend import LevelTrend
from ugs.dsp.moments import Moments
from ugs.dsp.quantiles import Quantiles
from ugs.dsp.spectrum import BANDS, Spectrum

COUNT = const(86)
_ZERO = const(8192)  # of a correlation, as ugs.detect.cadence keeps it
_WINDOW = const(1024)  # samples = 4.1 s: picked steps
_SECOND = const(32)  # levels
_SHORT = const(128)
_LONG = const(256)
_HOPS = const(4)
_SLOW = const(5)  # 2^5 hops = 16 s
_SIGN = const(0x20000000)  # signed loads: see ugs.dsp.intake
_WORD = const(0x3FFFFFFF)


@micropython.viper
def _spread(source: ptr32, count: int, up: int, offset: int, out: ptr32, at: int):
    i = 0
    while i < count:
        x = ((source[i] + _SIGN) & _WORD) - _SIGN
        if up >= 0:
            x <<= up
        else:
            x >>= 0 - up
        out[at + i] = x + offset
        i += 1


@micropython.viper
def _hold(source: ptr32, values: ptr8):
    # to 0..255
    i = 0
    while i < COUNT:
        x = ((source[i] + _SIGN) & _WORD) - _SIGN
        if x < 0:
            x = 0
        if x > 255:
            x = 255
        values[i] = x
        i += 1


class Features:
    def __init__(self):
        self.values = bytearray(COUNT)
        self.over = 0  # level of the last second above the floor, 64 to the octave
        self._spectrum = Spectrum()
        self._moments = Moments()
        self._shape = SpectralShape()
        self._trend = LevelTrend()
        self._beats = Beats()
        self._footfalls = Footfalls()
        self._quantiles = Quantiles()
        self._kurtosis = array("i", [0] * _HOPS)
        self._crossings = array("i", [0] * _HOPS)
        self._hop = 0
        self._fast_open = 0
        self._slow_open = 0
        self._slow_level = 0
        self._free = array("i", [0] * COUNT)  # the numbers before they are clipped to 0..255

    def add(self, raw):
        # a block without its offset, before the foot band
        self._spectrum.add(raw)

    def add_foot(self, foot):
        self._moments.add(foot)

    def measure(self, history, trigger, picker, quick, long, averaged, pir):
        # after every fourth block
        self._levels(history, trigger)
        self._rhythm(picker, quick, long, averaged)
        self._pulses(picker)
        self._sound(trigger)
        self._free[85] = pir.recent() << 6
        _hold(self._free, self.values)

    def _levels(self, history, trigger):
        quantiles, free = self._quantiles, self._free
        floor = history.floor
        quantiles.take(history.levels, history.at, _SECOND)
        level = quantiles.mean()
        now = self.over = level - floor
        free[0] = now >> 1
        quantiles.take(history.levels, history.at, _SHORT)
        short = quantiles.mean()
        low, middle, high = quantiles.below(1), quantiles.below(5), quantiles.below(9)
        free[1] = (low - floor) >> 1
        free[2] = (middle - floor) >> 1
        free[3] = (high - floor) >> 1
        free[4] = (high - middle) >> 1
        free[5] = (middle - low) >> 1
        quantiles.take(history.levels, history.at, min(_LONG, history.filled))
        free[6] = (quantiles.below(1) - floor) >> 1
        free[7] = (quantiles.below(5) - floor) >> 1
        free[8] = (quantiles.below(9) - floor) >> 1
        free[9] = 128 + short - quantiles.mean()
        is_open = 4096 if trigger.is_open() else 0
        self._fast_open += (is_open - self._fast_open) >> 2
        self._slow_open += (is_open - self._slow_open) >> _SLOW
        free[10] = self._fast_open >> 4
        free[11] = self._slow_open >> 4
        self._slow_level += ((now << 4) - self._slow_level) >> _SLOW
        free[12] = self._slow_level >> 5
        self._trend.take(level, now, is_open)
        _spread(self._trend.numbers, _TREND, 0, 0, free, 13)

    def _rhythm(self, picker, quick, long, averaged):
        free = self._free
        period = quick.period()
        free[26] = 64 + (quick.score() >> 1)
        free[27] = 64 + (long.score() >> 1)
        free[28] = 64 + averaged.score()
        free[29] = period
        free[30] = long.period()
        free[31] = averaged.period()
        free[32] = picker.regular(period, _WINDOW) << 4
        r = long.r
        free[33] = 128 + ((r[2] - _ZERO) >> 5)
        free[34] = 128 + ((r[4] - _ZERO) >> 5)
        free[35] = 128 + ((r[8] - _ZERO) >> 5)
        peaks = self._beats.peaks
        self._beats.find(r)
        for at in range(0, 2 * SPANS, 2):
            free[36 + at] = (peaks[at] - _ZERO) >> 4
            free[37 + at] = peaks[at + 1] << 1

    def _pulses(self, picker):
        footfalls, free = self._footfalls, self._free
        footfalls.take(picker.times, picker.levels, picker.total(), picker.now())
        free[42] = footfalls.count << 3
        free[43] = footfalls.gap >> 2
        free[44] = footfalls.uneven
        free[45] = footfalls.longest >> 3
        free[46] = footfalls.swing << 2
        free[47] = footfalls.spread

    def _sound(self, trigger):
        moments, spectrum, shape = self._moments, self._spectrum, self._shape
        free, kurtosis, crossings = self._free, self._kurtosis, self._crossings
        moments.measure()
        kurtosis[self._hop] = moments.kurtosis_x16
        crossings[self._hop] = moments.crossings
        self._hop = (self._hop + 1) % _HOPS
        free[48] = max(kurtosis) << 1
        free[49] = sum(kurtosis) >> 1
        free[50] = sum(crossings) >> 1
        spectrum.measure()
        shape.take(spectrum.levels, trigger.is_open())
        _spread(shape.above, BANDS, 0, 64, free, 51)
        _spread(shape.most, BANDS, 0, 64, free, 57)
        _spread(shape.shape, BANDS, 0, 128, free, 63)
        _spread(shape.jitter, BANDS, -3, 0, free, 69)
        _spread(shape.broad, BANDS, 1, 96, free, 75)
        free[81] = spectrum.top_share() >> 5
        free[82] = spectrum.top_line() << 2
        free[83] = spectrum.wander_x32() >> 1
        free[84] = spectrum.contrast_x16() << 1
