# SPDX-License-Identifier: MIT
# Verdict: how regular the level is, and how fast, from its autocorrelation.
#
# For a walk with step period T the correlation is high at T and 2T and low half-way between. The
# score is (r(T) + r(2T) - r(T/2) - r(3T/2)) / 2, 256 = 1.0; its best T is the cadence.

from array import array

import micropython
from micropython import const

_LAGS = const(109)  # as ugs.dsp.correlate.LAGS: viper folds constants of its own file only
# 2T in levels of 32 ms: T = 0.27..0.86 s, 3.7..1.15 steps per second
_FIRST = const(17)
_LAST = const(54)
_SCORE = const(0)
_DOUBLE = const(1)
_TEETH = const(2)
_LEAK = const(4)
_SIGN = const(0x20000000)  # signed loads: see ugs.dsp.intake
_WORD = const(0x3FFFFFFF)


@micropython.viper
def _normalise(products: ptr32, inverse: ptr32, r: ptr32, lags: int):
    # r[lag] = products[lag] / products[0] * n / (n - lag), 4096 = 1.0, plus 8192: never negative
    energy = products[0]
    down = 0
    while (energy >> down) >= 16384:
        down += 1
    energy = (energy >> down) + 1
    # reciprocal by long division: viper has no operator for it on every port
    rest = 1
    quotient = 0
    i = 0
    while i < 28:
        rest <<= 1
        quotient <<= 1
        if rest >= energy:
            rest -= energy
            quotient += 1
        i += 1
    # quotient = 2^28 / energy
    lag = 0
    while lag < lags:
        x = ((products[lag] + _SIGN) & _WORD) - _SIGN
        x = ((x >> down) * inverse[lag]) >> 10
        if x > energy:
            x = energy
        elif x < -energy:
            x = -energy
        r[lag] = 8192 + ((x * (quotient >> 4)) >> 12)
        lag += 1


@micropython.viper
def _search(r: ptr32, out: ptr32):
    teeth = out[_TEETH]
    best = -32768
    double = _FIRST
    while double <= _LAST:
        score = 0
        tooth = 1
        while tooth <= teeth:
            at = tooth * double
            score += r[at >> 1] + r[(at + 1) >> 1]
            at = at * 2 - double
            score -= r[at >> 2] + r[(at + 3) >> 2]
            tooth += 1
        if teeth == 2:
            score = score >> 2
        else:
            score = score >> 3
        if score > best:
            best = score
            out[_DOUBLE] = double
        double += 1
    out[_SCORE] = best


@micropython.viper
def _average(r: ptr32, slow: ptr32, shift: int):
    # accumulator form: slow holds 2^shift times the average, which replaces r
    lag = 0
    while lag < _LAGS:
        acc = slow[lag]
        acc += r[lag] - (acc >> shift)
        slow[lag] = acc
        r[lag] = acc >> shift
        lag += 1


@micropython.viper
def _double(slow: ptr32):
    lag = 0
    while lag < _LAGS:
        slow[lag] = slow[lag] << 1
        lag += 1


class Beat:
    # the result of a search: score and period
    def __init__(self, teeth):
        self._out = array("i", [0, _FIRST, teeth])

    def score(self):
        # 256 = a perfect beat
        return self._out[_SCORE] >> 4

    def period(self):
        # samples at 250 Hz
        return self._out[_DOUBLE] << 2

    def rate_x20(self):
        # steps per second, in 0.05 Hz
        return (20 * 250 + (self.period() >> 1)) // max(1, self.period())


class Cadence(Beat):
    def __init__(self, count, teeth):
        # count: levels in the window, above _LAGS; teeth: 2 or 4 periods
        super().__init__(teeth)
        self.lags = (_LAST * teeth >> 1) + 1  # the lags that a search reads
        self._inverse = array("i", [0] * self.lags)
        self._count = 0
        self.window(count)
        self.r = array("i", [0] * self.lags)

    def window(self, count):
        if count == self._count:
            return
        self._count = count
        for lag in range(self.lags):
            self._inverse[lag] = (count << 10) // (count - lag)

    def measure(self, products):
        _normalise(products, self._inverse, self.r, self.lags)
        _search(self.r, self._out)


class Averaged(Beat):
    # The same from correlations averaged over hops: a faint regular beat adds up. The average
    # covers all hops at first, and 16 hops (8 s, of windows of 8 s) from then on.
    def __init__(self):
        super().__init__(4)
        self._slow = array("i", [0] * _LAGS)
        self._hops = 0
        self._shift = 0

    def measure(self, r):
        if self._hops < 1 << _LEAK:
            self._hops += 1
            if self._hops >> self._shift >= 2:
                self._shift += 1
                _double(self._slow)
        _average(r, self._slow, self._shift)
        _search(r, self._out)

    def halvings(self):
        # 0 once the average has its full length
        return _LEAK - self._shift
