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


class Colour:
    def __init__(self):
        self.above = array("i", [0] * BANDS)  # mean level of 2 s over the floor
        self.most = array("i", [0] * BANDS)  # the loudest half second of those over the floor
        self.shape = array("i", [0] * BANDS)  # mean level of 2 s over the mean of all bands
        self._recent = array("i", [0] * (BANDS * _HOPS))
        self._floor = array("i", [0] * BANDS)
        self._slot = 0
        self._seen = 0
        self._shift = 0
        self._frozen = 0

    def take(self, levels, is_open):
        self._frozen = self._frozen + 1 if is_open else 0
        self._follow(levels, is_open and self._frozen < _FREEZE)
        recent = self._recent
        base = self._slot * BANDS
        self._slot = (self._slot + 1) % _HOPS
        total = 0
        for band in range(BANDS):
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
