# SPDX-License-Identifier: MIT
# signal_check: whether a geophone is connected. Checks the newest second of the ring once a second;
# a result that lasts is a fault.
#
# The front end drives a steady current through the coil, so the offset of the samples shows the
# resistance between the input terminals: the coil with its shunt, the shunt alone (cable cut), or
# none (shorted). It does not depend on how quiet the ground is.

from array import array

import micropython
from micropython import const

# Values of the condition sensor_fault (docs/wire.md, section 7).
_WELL = const(0)
_CUT = const(1)
_SHORTED = const(2)
_SATURATED = const(3)
_HUM = const(4)
_NOISE = const(5)
_STUCK = const(6)
SILENT = const(7)
RESTARTED = const(8)

_SECOND = const(250)
# A second at 250 Hz holds whole periods of 50 and 60 Hz. Folded over 25 samples (0.1 s) it keeps
# the multiples of 10 Hz: line and harmonics result from 25 sums instead of 250 samples.
_FOLD = const(25)
_LINES = ((5, 10), (6, 12))  # 50 and 100 Hz, 60 and 120 Hz, in units of 10 Hz
_PEAK = const(1023)  # squares of 250 values up to this, and of their differences, fit 31 bits
_COSINE = array(
    "h",
    (1024, 992, 897, 746, 549, 316, 64, -192, -436, -653, -828, -952, -1016)
    + (-1016, -952, -828, -653, -436, -192, 64, 316, 549, 746, 897, 992),
)
_SINE = array(
    "h",
    (0, 255, 493, 701, 865, 974, 1022, 1006, 927, 789, 602, 377, 128)
    + (-128, -377, -602, -789, -927, -1006, -1022, -974, -865, -701, -493, -255),
)

# Seconds until it counts. Passing vehicles hold one tone, or clip, for a few seconds.
_LASTS_S = const(3)
_HUM_LASTS_S = const(6)
_LINE_PCT = const(80)  # of the power in line and harmonics
# Hum and noise count from these levels on: a walker at 10 m produces about 2 to 5 um/s. Rain is
# also white.
_HUM_NM_S = const(1_000)
_NOISE_NM_S = const(2_000)
# In white noise the differences of successive samples have twice its power; behind the filter of a
# board 1.85 times, +- 0.12 (rms) in one second. Ground has less, rain more. Steady: the loudest
# second has less than twice the power of the faintest.
_WHITE_PCT_LOW = const(150)
_WHITE_PCT_HIGH = const(230)
_FULL_PCT = const(80)  # of full scale, all on one side

_SIGN = const(0x20000000)  # as in ugs.dsp.intake: a 64-bit viper loads words without their sign
_WORD = const(0x3FFFFFFF)


@micropython.viper
def _range(ring: ptr32, out: ptr32, first: int, mask: int):
    # out: sum, lowest, highest
    total = 0
    low = 0x1FFFFFFF
    high = 0 - 0x1FFFFFFF
    i = 0
    while i < _SECOND:
        x = ((ring[(first + i) & mask] + _SIGN) & _WORD) - _SIGN
        total += x
        if x < low:
            low = x
        if x > high:
            high = x
        i += 1
    out[0] = total
    out[1] = low
    out[2] = high


@micropython.viper
def _power(ring: ptr32, out: ptr32, fold: ptr32, first: int):
    # out: mean, shift, mask; then the power and that of the differences
    mean = ((out[0] + _SIGN) & _WORD) - _SIGN
    shift = out[1]
    mask = out[2]
    power = 0
    steps = 0
    i = 0
    while i < _FOLD:
        fold[i] = 0
        i += 1
    last = 0
    place = 0
    i = 0
    while i < _SECOND:
        x = (((ring[(first + i) & mask] + _SIGN) & _WORD) - _SIGN - mean) >> shift
        power += x * x
        if i:
            steps += (x - last) * (x - last)
        last = x
        fold[place] += x
        place += 1
        if place == _FOLD:
            place = 0
        i += 1
    out[3] = power
    out[4] = steps


class SignalCheck:
    # levels: own noise of the input in counts rms times 16, and the offsets in counts below which
    # the terminals are shorted and above which there is no coil. coil_answers() is called before a
    # coil is reported missing or shorted: True if a test current found one.
    #   fault       the present fault, one of the numbers above
    #   offset, rms_x16     of the newest second, in counts

    def __init__(self, sampler, nm_s_per_count_x256, levels, coil_answers):
        self.fault = _WELL
        self.offset = 0
        self.rms_x16 = 0
        self._sampler = sampler
        self._coil_answers = coil_answers
        self._own_x16, self._short, self._cut = levels
        self._hum_x16 = _HUM_NM_S * 256 * 16 // nm_s_per_count_x256
        self._noise_x16 = _NOISE_NM_S * 256 * 16 // nm_s_per_count_x256
        self._out = array("i", (0 for _ in range(5)))
        self._fold = array("i", (0 for _ in range(_FOLD)))
        self._seen = _WELL
        self._seconds = 0
        self._faintest = self._loudest = 0

    def step(self):
        # Once a second. Returns the fault.
        if self._sampler.written < _SECOND:
            return self.fault
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            self._seconds = 0
        if seen == _NOISE and not self._is_steady():
            self._seconds = 0
        self._seconds += 1
        if self._seconds >= (_HUM_LASTS_S if seen == _HUM or seen == _NOISE else _LASTS_S):
            self._settle(seen)
        return self.fault

    def _settle(self, seen):
        if seen == self.fault:
            return
        if seen == _CUT or seen == _SHORTED:
            # Tested again only after the offset has been normal in between.
            if self._seconds > _LASTS_S or self._coil_answers():
                return
        self.fault = seen

    def _look(self):
        sampler, out = self._sampler, self._out
        first, mask = sampler.written - _SECOND, len(sampler.ring) - 1
        _range(sampler.ring, out, first, mask)
        low, high = out[1], out[2]
        self.offset = mean = out[0] // _SECOND
        peak = max(high - mean, mean - low)
        shift = 0
        while peak >> shift > _PEAK:
            shift += 1
        out[0], out[1], out[2] = mean, shift, mask
        _power(sampler.ring, out, self._fold, first)
        power, steps = out[3], out[4]
        self.rms_x16 = _root(power * 256 // _SECOND) << shift
        full = sampler.clip_counts * _FULL_PCT // 100
        if low >= full or high <= -full:
            return _SATURATED
        if (high - low) * 16 <= self._own_x16:
            return _STUCK
        if high < sampler.clip_counts and low > -sampler.clip_counts:
            # A clipped wave has another mean than its own.
            if mean > self._cut:
                return _CUT
            if mean < self._short:
                return _SHORTED
        if self.rms_x16 < self._hum_x16:
            return _WELL
        for places in _LINES:
            if self._line(places) * 100 >= _LINE_PCT * power:
                return _HUM
        is_white = _WHITE_PCT_LOW * power <= steps * 100 <= _WHITE_PCT_HIGH * power
        return _NOISE if is_white and self.rms_x16 >= self._noise_x16 else _WELL

    def _line(self, places):
        # Power of these frequencies in the units of `power`: c and s are 125 amplitudes.
        total = 0
        fold = self._fold
        for place in places:
            c = s = 0
            for i in range(_FOLD):
                c += fold[i] * _COSINE[place * i % _FOLD]
                s += fold[i] * _SINE[place * i % _FOLD]
            total += (c >> 10) * (c >> 10) + (s >> 10) * (s >> 10)
        return total // 125

    def _is_steady(self):
        rms = self.rms_x16
        if not self._seconds:
            self._faintest = self._loudest = rms
        self._faintest = min(self._faintest, rms)
        self._loudest = max(self._loudest, rms)
        if self._loudest * self._loudest < 2 * self._faintest * self._faintest:
            return True
        # From this second on: noise may have started during the one before.
        self._faintest = self._loudest = rms
        return False


def _root(x):
    root = 1 << 15
    while root * root > x:
        root = (root + x // root) >> 1
    return root
