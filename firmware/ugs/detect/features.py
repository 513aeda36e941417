# SPDX-License-Identifier: MIT
# Verdict: what the forest is asked about: 86 numbers of 0..255, each hop of half a second.
#
# Levels stand above the node's own floor and bands above their own quiet, so that a number means
# the same near a road and in a desert. tools/train/names.py names them, in this order.

from array import array

import micropython
from micropython import const

from ugs.detect.beats import SPANS, Beats
from ugs.detect.colour import Colour
from ugs.detect.course import COUNT as _COURSE
from ugs.detect.course import Course
from ugs.detect.strikes import Strikes
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
def _spread(source: ptr32, count: int, up: int, offset: int, values: ptr8, at: int):
    # held to 0..255
    i = 0
    while i < count:
        x = ((source[i] + _SIGN) & _WORD) - _SIGN
        if up >= 0:
            x <<= up
        else:
            x >>= 0 - up
        x += offset
        if x < 0:
            x = 0
        if x > 255:
            x = 255
        values[at + i] = x
        i += 1


class Features:
    def __init__(self):
        self.values = bytearray(COUNT)
        self._spectrum = Spectrum()
        self._moments = Moments()
        self._colour = Colour()
        self._course = Course()
        self._beats = Beats()
        self._strikes = Strikes()
        self._quantiles = Quantiles()
        self._kurtosis = array("i", [0] * _HOPS)
        self._crossings = array("i", [0] * _HOPS)
        self._hop = 0
        self._fast_open = 0
        self._slow_open = 0
        self._slow_level = 0
        self._at = 0

    def add(self, raw):
        # a block without its offset, before the foot band
        self._spectrum.add(raw)

    def add_foot(self, foot):
        self._moments.add(foot)

    def measure(self, history, trigger, picker, quick, long, patient, pir):
        # after every fourth block
        self._at = 0
        self._levels(history, trigger)
        self._rhythm(picker, quick, long, patient)
        self._pulses(picker)
        self._sound(trigger)
        self._put(pir.recent() << 6)

    def _put(self, value):
        if value < 0:
            value = 0
        elif value > 255:
            value = 255
        self.values[self._at] = value
        self._at += 1

    def _put_all(self, source, count, up, offset):
        _spread(source, count, up, offset, self.values, self._at)
        self._at += count

    def _levels(self, history, trigger):
        quantiles = self._quantiles
        floor = history.floor
        quantiles.take(history.levels, history.at, _SECOND)
        level = quantiles.mean()
        now = level - floor
        self._put(now >> 1)
        quantiles.take(history.levels, history.at, _SHORT)
        short = quantiles.mean()
        low, middle, high = quantiles.below(1), quantiles.below(5), quantiles.below(9)
        self._put((low - floor) >> 1)
        self._put((middle - floor) >> 1)
        self._put((high - floor) >> 1)
        self._put((high - middle) >> 1)
        self._put((middle - low) >> 1)
        quantiles.take(history.levels, history.at, min(_LONG, history.filled))
        self._put((quantiles.below(1) - floor) >> 1)
        self._put((quantiles.below(5) - floor) >> 1)
        self._put((quantiles.below(9) - floor) >> 1)
        self._put(128 + short - quantiles.mean())
        is_open = 4096 if trigger.is_open() else 0
        self._fast_open += (is_open - self._fast_open) >> 2
        self._slow_open += (is_open - self._slow_open) >> _SLOW
        self._put(self._fast_open >> 4)
        self._put(self._slow_open >> 4)
        self._slow_level += ((now << 4) - self._slow_level) >> _SLOW
        self._put(self._slow_level >> 5)
        self._course.take(level, now, trigger.is_open())
        self._put_all(self._course.numbers, _COURSE, 0, 0)

    def _rhythm(self, picker, quick, long, patient):
        self._put(64 + (quick.score() >> 1))
        self._put(64 + (long.score() >> 1))
        self._put(64 + patient.score())
        self._put(quick.period())
        self._put(long.period())
        self._put(patient.period())
        self._put(picker.regular(quick.period(), _WINDOW) << 4)
        r = long.r
        self._put(128 + ((r[2] - _ZERO) >> 5))
        self._put(128 + ((r[4] - _ZERO) >> 5))
        self._put(128 + ((r[8] - _ZERO) >> 5))
        beats = self._beats
        beats.find(r)
        for span in range(SPANS):
            self._put((beats.peaks[2 * span] - _ZERO) >> 4)
            self._put(beats.peaks[2 * span + 1] << 1)

    def _pulses(self, picker):
        strikes = self._strikes
        strikes.take(picker.times, picker.levels, picker.total(), picker.now())
        self._put(strikes.count << 3)
        self._put(strikes.gap >> 2)
        self._put(strikes.uneven)
        self._put(strikes.longest >> 3)
        self._put(strikes.swing << 2)
        self._put(strikes.spread)

    def _sound(self, trigger):
        moments, spectrum, colour = self._moments, self._spectrum, self._colour
        moments.measure()
        self._kurtosis[self._hop] = moments.kurtosis_x16
        self._crossings[self._hop] = moments.crossings
        self._hop = (self._hop + 1) % _HOPS
        most = total = crossings = 0
        for hop in range(_HOPS):
            kurtosis = self._kurtosis[hop]
            total += kurtosis
            most = max(most, kurtosis)
            crossings += self._crossings[hop]
        self._put(most << 1)
        self._put(total >> 1)
        self._put(crossings >> 1)
        spectrum.measure()
        colour.take(spectrum.levels, trigger.is_open())
        self._put_all(colour.above, BANDS, 0, 64)
        self._put_all(colour.most, BANDS, 0, 64)
        self._put_all(colour.shape, BANDS, 0, 128)
        self._put_all(colour.jitter, BANDS, -3, 0)
        self._put_all(colour.broad, BANDS, 1, 96)
        self._put(spectrum.top_share() >> 5)
        self._put(spectrum.top_line() << 2)
        self._put(spectrum.wander_x32() >> 1)
        self._put(spectrum.contrast_x16() << 1)
