# SPDX-License-Identifier: MIT
# Verdict: the spectral shape: how far each band is above its noise floor, and which bands hold the
# energy.
#
# A band's floor is the mean of its levels (sixteenths of an octave of power) while the trigger is
# closed: over 33 s, fewer at first. It is frozen while the trigger is open, for a minute at most.

from array import array

import micropython
from micropython import const

_BANDS = const(6)  # as ugs.dsp.spectrum: viper folds constants of its own file only
_HOPS = const(4)  # 2 s
_LONGEST = const(6)  # 2^6 hops = 33 s
_FREEZE = const(117)  # hops = 60 s
_SCALE = const(6)
_EVEN = const(3)  # 2^3 hops = 4 s
_EIGHT = const(4)  # 2^4 hops = 8 s
_CALM = const(8)  # 2^8 hops = 131 s, reached step by step
_PER_STEP = const(5)  # 2^5 hops each
_FINE = const(10)
_SIGN = const(0x20000000)  # signed loads: see ugs.dsp.intake
_WORD = const(0x3FFFFFFF)


@micropython.viper
def _follow(levels: ptr32, up: int, into: ptr32, shift: int):
    # each of `into` goes after its level times 2^up; all at once with shift 0
    band = 0
    while band < _BANDS:
        level = ((levels[band] + _SIGN) & _WORD) - _SIGN
        x = ((into[band] + _SIGN) & _WORD) - _SIGN
        into[band] = x + (((level << up) - x) >> shift)
        band += 1


@micropython.viper
def _change(levels: ptr32, recent: ptr32, before: int, slot: int, jitter: ptr32):
    band = 0
    while band < _BANDS:
        level = ((levels[band] + _SIGN) & _WORD) - _SIGN
        change = level - (((recent[before + band] + _SIGN) & _WORD) - _SIGN)
        if change < 0:
            change = 0 - change
        x = ((jitter[band] + _SIGN) & _WORD) - _SIGN
        jitter[band] = x + (((change << 4) - x) >> _EVEN)
        recent[slot + band] = level
        band += 1


@micropython.viper
def _mean(recent: ptr32, floor: ptr32, above: ptr32, most: ptr32, shape: ptr32) -> int:
    # returns the sum of all bands' means
    total = 0
    band = 0
    while band < _BANDS:
        mean = 0
        high = 0 - _SIGN
        i = band
        while i < _BANDS * _HOPS:
            level = ((recent[i] + _SIGN) & _WORD) - _SIGN
            mean += level
            if level > high:
                high = level
            i += _BANDS
        mean >>= 2
        quiet = (((floor[band] + _SIGN) & _WORD) - _SIGN) >> _SCALE
        above[band] = mean - quiet
        most[band] = high - quiet
        shape[band] = mean
        total += mean
        band += 1
    return total


@micropython.viper
def _less(of: ptr32, what: int):
    band = 0
    while band < _BANDS:
        of[band] = (((of[band] + _SIGN) & _WORD) - _SIGN) - what
        band += 1


@micropython.viper
def _difference(mean: ptr32, calm: ptr32, broad: ptr32):
    band = 0
    while band < _BANDS:
        x = ((mean[band] + _SIGN) & _WORD) - _SIGN
        broad[band] = (x - (((calm[band] + _SIGN) & _WORD) - _SIGN)) >> _FINE
        band += 1


class SpectralShape:
    def __init__(self):
        self.above = array("i", [0] * _BANDS)  # mean level of 2 s over the floor
        self.most = array("i", [0] * _BANDS)  # the loudest half second of those over the floor
        self.shape = array("i", [0] * _BANDS)  # mean level of 2 s over the mean of all bands
        self.jitter = array("i", [0] * _BANDS)  # mean change from one half second to the next, x 16
        self.broad = array("i", [0] * _BANDS)  # mean of 8 s over that of two minutes
        self._mean = array("i", [0] * _BANDS)
        self._calm = array("i", [0] * _BANDS)
        self._steps = 0
        self._recent = array("i", [0] * (_BANDS * _HOPS))
        self._floor = array("i", [0] * _BANDS)
        self._slot = 0
        self._seen = 0
        self._shift = 0
        self._frozen = 0

    def take(self, levels, is_open):
        self._frozen = self._frozen + 1 if is_open else 0
        is_frozen = is_open and self._frozen < _FREEZE
        self._settle(levels, is_frozen)
        self._compare(levels, is_frozen)
        before, slot = self._slot, (self._slot + _BANDS) % (_BANDS * _HOPS)
        self._slot = slot
        _change(levels, self._recent, before, slot, self.jitter)
        total = _mean(self._recent, self._floor, self.above, self.most, self.shape)
        _less(self.shape, total // _BANDS)

    def _compare(self, levels, is_frozen):
        # a faint passing vehicle raises its bands for half a minute: longer than a floor should
        # follow
        mean, calm = self._mean, self._calm
        is_first = self._steps == 0
        if is_first or (not is_frozen and self._steps < _CALM << _PER_STEP):
            self._steps += 1
        if is_first:
            _follow(levels, _FINE, mean, 0)
            _follow(levels, _FINE, calm, 0)
        _follow(levels, _FINE, mean, _EIGHT)
        if not is_frozen:
            _follow(levels, _FINE, calm, min(_CALM, 1 + (self._steps >> _PER_STEP)))
        _difference(mean, calm, self.broad)

    def _settle(self, levels, is_frozen):
        if self._seen and is_frozen:
            return
        if self._seen < 1 << _LONGEST:
            self._seen += 1
            if self._seen >> self._shift >= 2:
                self._shift += 1
        _follow(levels, _SCALE, self._floor, self._shift if self._seen > 1 else 0)
