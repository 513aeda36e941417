# SPDX-License-Identifier: MIT
# Verdict: from the forest's scores, hop by hop, to the node's confidence and class.
#
# Evidence of each class: how far its score is above that of nothing, averaged over about two
# seconds, against its own limit, because noise resembles some classes more. The class highest over
# its limit is the evidence.
#
# The class is derived from all hops in which the node was confident, half a minute of them at most,
# so that it neither flickers nor fades with the signal. It uses scores that are not clipped: near
# by, all of them are high. A class is named once its score is far enough from those of other
# classes; the fewer the hops, the larger the distance. Until then it is unknown. If people cannot
# be counted yet, the class is person, not group. A target that is loud for seconds
# (ugs.detect.rise) may be classified although the score of nothing is higher, by one unit of
# log-odds at most; below that it stays unknown.

from array import array

import micropython
from micropython import const

_CLASSES = const(6)  # as ugs.detect.forest: viper folds constants of its own file only
_CLIP = const(384)  # 6 units of log-odds: no hop may decide alone
_CLEAR = const(4096)
_QUICK = const(2)  # 2^2 hops = 2 s
_FEW = const(2)
_SLOW = const(6)
# One and a half units of log-odds over four hops, as counted for classes. On 29 sites of loam that
# no tree was trained on, 6.5 % of onsets had a wrong class without this; with it 0.5 %, and 15 %
# are unknown: 95 % of activities have their class 2 s after the onset.
_APART = const(6144)
_DOUBT = const(-1024)  # one unit, as counted for classes
_NOTHING = const(0)
_UNKNOWN = const(0)
_FIRST = const(1)
_PERSON = const(1)
_GROUP = const(2)
_DIGGING = const(5)
# Digging is repetitive but no gait. While strokes are too few, or too many to be separate, it is
# one unit less likely than nothing; while the ground has the rhythm of steps, four.
_REPEATED = const(5)
_FEW_STROKES = const(64)
_GAIT = const(256)
_SIGN = const(0x20000000)  # signed loads: see ugs.dsp.intake
_WORD = const(0x3FFFFFFF)


@micropython.viper
def _follow(scores: ptr32, most: int, into: ptr32, shift: int):
    # each of `into` goes after its score over that of nothing, times 16
    nothing = ((scores[_NOTHING] + _SIGN) & _WORD) - _SIGN
    index = _FIRST
    while index < _CLASSES:
        above = ((scores[index] + _SIGN) & _WORD) - _SIGN - nothing
        if above > most:
            above = most
        if above < 0 - most:
            above = 0 - most
        x = ((into[index] + _SIGN) & _WORD) - _SIGN
        into[index] = x + (((above << 4) - x) >> shift)
        index += 1


@micropython.viper
def _highest(accounts: ptr32, limits: ptr32) -> int:
    # the class highest over its limit, the first of equals
    best = _FIRST
    most = 0 - _SIGN
    index = _FIRST
    while index < _CLASSES:
        over = ((accounts[index] + _SIGN) & _WORD) - ((limits[index] + _SIGN) & _WORD)
        if over > most:
            most = over
            best = index
        index += 1
    return best


class Verdict:
    def __init__(self, forest):
        # limits: onset for each class, then the limit that keeps an activity alive, in 4 units of
        # 1/64 log-odds
        self._limits = array("i", [0] * _CLASSES)
        for index in range(_FIRST, _CLASSES):
            self._limits[index] = (forest.limits[index - _FIRST] - 128) << 6
        self._keep = (forest.limits[_CLASSES - _FIRST] - 128) << 2
        self._accounts = array("i", [0] * _CLASSES)
        self._names = array("i", [0] * _CLASSES)
        self._best = _FIRST
        self._name = _UNKNOWN
        self._shift = 0  # the average for the class covers 2^shift hops
        self._hops = 0

    def set_threshold(self, forest, threshold_x10):
        # Tenths of a unit of log-odds beyond the model's own limits.
        for index in range(_FIRST, _CLASSES):
            limit = (forest.limits[index - _FIRST] - 128) << 6
            self._limits[index] = limit + (threshold_x10 << 10) // 10

    def weigh(self, scores, is_open, is_loud, strokes, is_gait):
        # scores: of the forest, changed here
        accounts, limits = self._accounts, self._limits
        if is_gait or strokes < _REPEATED:
            most = scores[_NOTHING] - (_GAIT if is_gait else _FEW_STROKES)
            scores[_DIGGING] = min(scores[_DIGGING], most)
        _follow(scores, _CLIP, accounts, _QUICK)
        best = self._best = _highest(accounts, limits)
        if is_open:
            if accounts[best] <= 0 and not is_loud:
                return
            self._hops += 1
            if self._hops >> self._shift and self._shift < _SLOW:
                self._shift += 1
        else:
            self._hops = 1 << _FEW
            self._shift = _FEW
        _follow(scores, _CLEAR, self._names, self._shift)
        name = self._supported(_APART >> self._shift)
        if name != _UNKNOWN or not is_open:
            self._name = name

    def _supported(self, apart):
        names = self._names
        name = _PERSON
        if names[_GROUP] - names[_PERSON] >= apart:
            name = _GROUP
        highest = max(names[_PERSON], names[_GROUP])
        second = -_CLEAR << 4
        for index in range(_GROUP + 1, _CLASSES):
            if names[index] > highest:
                second = highest
                highest = names[index]
                name = index
            elif names[index] > second:
                second = names[index]
        return name if highest - second >= apart and highest > _DOUBT else _UNKNOWN

    def evidence(self):
        # 64 = one unit of log-odds
        return self._accounts[self._best] >> 4

    def is_sure(self, is_open):
        if is_open:
            return self.evidence() > self._keep
        return self._accounts[self._best] > self._limits[self._best]

    def class_id(self):
        return self._name

    def confidence_pct(self):
        return max(50, min(97, 50 + self.evidence() // 8))
