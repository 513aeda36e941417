# SPDX-License-Identifier: MIT
# Verdict: how far each band stands above its own quiet, and which bands hold the sound.
#
# A band's floor is the mean of its levels (sixteenths of an octave of power) while the trigger is
# shut: 33 s of them, fewer at first. It stands still while the trigger is open, a minute at most.

from array import array

from micropython import const

from ugs.dsp.spectrum import BANDS

_HOPS = const(4)  # 2 s
_LONGEST = const(6)  # 2^6 hops = 33 s
_FREEZE = const(117)  # hops = 60 s
_SCALE = const(6)
_EVEN = const(3)  # 2^3 hops = 4 s
_EIGHT = const(4)  # 2^4 hops = 8 s
_CALM = const(8)  # 2^8 hops = 131 s, reached step by step
_PER_STEP = const(5)  # 2^5 hops each
_FINE = const(10)


class Colour:
    def __init__(self):
        self.above = array("i", [0] * BANDS)  # mean level of 2 s over the floor
        self.most = array("i", [0] * BANDS)  # the loudest half second of those over the floor
        self.shape = array("i", [0] * BANDS)  # mean level of 2 s over the mean of all bands
        self.jitter = array("i", [0] * BANDS)  # mean change from one half second to the next, x 16
        self.broad = array("i", [0] * BANDS)  # mean of 8 s over that of two minutes
        self._mean = array("i", [0] * BANDS)
        self._calm = array("i", [0] * BANDS)
        self._steps = 0
        self._recent = array("i", [0] * (BANDS * _HOPS))
        self._floor = array("i", [0] * BANDS)
        self._slot = 0
        self._seen = 0
        self._shift = 0
        self._frozen = 0

    def take(self, levels, is_open):
        self._frozen = self._frozen + 1 if is_open else 0
        is_frozen = is_open and self._frozen < _FREEZE
        self._follow(levels, is_frozen)
        self._compare(levels, is_frozen)
        recent, jitter = self._recent, self.jitter
        before = (self._slot - 1) % _HOPS * BANDS
        base = self._slot * BANDS
        self._slot = (self._slot + 1) % _HOPS
        total = 0
        for band in range(BANDS):
            change = abs(levels[band] - recent[before + band])
            jitter[band] += ((change << 4) - jitter[band]) >> _EVEN
            recent[base + band] = levels[band]
            mean = most = recent[band]
            for hop in range(1, _HOPS):
                level = recent[hop * BANDS + band]
                mean += level
                if level > most:
                    most = level
            mean >>= 2
            floor = self._floor[band] >> _SCALE
            self.above[band] = mean - floor
            self.most[band] = most - floor
            self.shape[band] = mean
            total += mean
        total //= BANDS
        for band in range(BANDS):
            self.shape[band] -= total

    def _compare(self, levels, is_frozen):
        # what rolls by faintly lifts its bands for half a minute: longer than a floor should follow
        mean, calm = self._mean, self._calm
        is_first = self._steps == 0
        if is_first or (not is_frozen and self._steps < _CALM << _PER_STEP):
            self._steps += 1
        shift = min(_CALM, 1 + (self._steps >> _PER_STEP))
        for band in range(BANDS):
            level = levels[band] << _FINE
            if is_first:
                mean[band] = calm[band] = level
            mean[band] += (level - mean[band]) >> _EIGHT
            if not is_frozen:
                calm[band] += (level - calm[band]) >> shift
            self.broad[band] = (mean[band] - calm[band]) >> _FINE

    def _follow(self, levels, is_frozen):
        if self._seen and is_frozen:
            return
        floor = self._floor
        if self._seen < 1 << _LONGEST:
            self._seen += 1
            if self._seen >> self._shift >= 2:
                self._shift += 1
        for band in range(BANDS):
            if self._seen == 1:
                floor[band] = levels[band] << _SCALE
            floor[band] += ((levels[band] << _SCALE) - floor[band]) >> self._shift
