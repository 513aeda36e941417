# SPDX-License-Identifier: MIT
# Conditioning: half a second as levels of six bands, and how prominent one line is.
#
# A Fourier transform of 128 samples, radix 2 (Cooley & Tukey, Math. Comp. 19, 297), costs less than
# a dozen Goertzel filters and has no gaps between them. The window is scaled to 12 bits first, so
# that a quiet one keeps its bits and a loud one stays within 31: seven stages double seven times,
# and a factor of 11 bits is added. Levels count sixteenths of an octave of power.

from array import array

import micropython
from micropython import const

_BLOCK = const(32)
_N = const(128)
_STAGES = const(7)
_PEAK = const(4095)
_UNIT_SHIFT = const(10)  # of the turning factors
_SIGN = const(0x20000000)  # signed loads: see ugs.dsp.intake
_WORD = const(0x3FFFFFFF)
_SHARE_BITS = const(14)
BANDS = const(6)
# Cosines of the first quarter of a turn in 128 steps, 1024 = 1.
_QUARTER = (
    1024,
    1023,
    1019,
    1013,
    1004,
    993,
    980,
    964,
    946,
    926,
    903,
    878,
    851,
    822,
    792,
    759,
    724,
    688,
    650,
    610,
    569,
    526,
    483,
    438,
    392,
    345,
    297,
    249,
    200,
    150,
    100,
    50,
    0,
)
# First lines of the bands, 1.95 Hz apart: 5, 9, 17, 30, 50, 73 and up to 117 Hz.
_EDGES = (3, 5, 9, 16, 26, 38, 61)
_FIRST = const(3)
_END = const(61)
_MIN_SHARES = const(64)  # shares below this are no line
_FLOOR = const(16)
_EVEN = const(3)  # 2^3 hops = 4 s

_AT = const(0)
_LARGEST = const(1)
_TOP = const(2)
_CONTRAST = const(3)
_LINE = const(4)


@micropython.viper
def _add(block: ptr32, re: ptr32, order: ptr8, state: ptr32):
    at = state[_AT]
    largest = state[_LARGEST]
    if at == 0:
        largest = 0
    i = 0
    while i < _BLOCK:
        x = ((block[i] + _SIGN) & _WORD) - _SIGN
        re[order[at + i]] = x
        if x < 0:
            x = -x
        if x > largest:
            largest = x
        i += 1
    state[_AT] = (at + _BLOCK) & (_N - 1)
    state[_LARGEST] = largest


@micropython.viper
def _scale(re: ptr32, im: ptr32, largest: int) -> int:
    # to 12 bits; returns how many bits up, negative for down
    up = 0
    if largest < 1:
        largest = 1
    while largest <= _PEAK >> 1:
        largest <<= 1
        up += 1
    while largest > _PEAK:
        largest >>= 1
        up -= 1
    i = 0
    while i < _N:
        x = ((re[i] + _SIGN) & _WORD) - _SIGN
        if up >= 0:
            re[i] = x << up
        else:
            re[i] = x >> (0 - up)
        im[i] = 0
        i += 1
    return up


@micropython.viper
def _transform(re: ptr32, im: ptr32, turn: ptr32):
    half = 1
    stage = 0
    while stage < _STAGES:
        step = (_N >> 1) >> stage
        k = 0
        while k < half:
            c = ((turn[k * step] + _SIGN) & _WORD) - _SIGN
            s = ((turn[k * step + 32] + _SIGN) & _WORD) - _SIGN
            i = k
            while i < _N:
                j = i + half
                xr = ((re[j] + _SIGN) & _WORD) - _SIGN
                xi = ((im[j] + _SIGN) & _WORD) - _SIGN
                tr = (xr * c - xi * s) >> _UNIT_SHIFT
                ti = (xr * s + xi * c) >> _UNIT_SHIFT
                ar = ((re[i] + _SIGN) & _WORD) - _SIGN
                ai = ((im[i] + _SIGN) & _WORD) - _SIGN
                re[j] = ar - tr
                im[j] = ai - ti
                re[i] = ar + tr
                im[i] = ai + ti
                i += half << 1
            k += 1
        half <<= 1
        stage += 1


@micropython.viper
def _power(re: ptr32, im: ptr32) -> int:
    # |X|^2 / 256 into re; by Parseval the sum stays below 2^30
    total = 0
    k = _FIRST
    while k < _END:
        a = (((re[k] + _SIGN) & _WORD) - _SIGN) >> 4
        b = (((im[k] + _SIGN) & _WORD) - _SIGN) >> 4
        p = a * a + b * b
        re[k] = p
        total += p
        k += 1
    return total


@micropython.viper
def _level(re: ptr32, first: int, end: int, up: int) -> int:
    p = 1
    k = first
    while k < end:
        p += re[k]
        k += 1
    octave = 0
    while p >= 32:
        p >>= 1
        octave += 1
    while p < 16:
        p <<= 1
        octave -= 1
    # 4 bits of the power as a straight line; an octave of amplitude is two of power
    return ((octave - 2 * up) << 4) + p - 16


@micropython.viper
def _lines(re: ptr32, shares: ptr32, total: int, state: ptr32):
    # each line's share of the window's power, averaged over about two seconds
    down = 0
    while (total >> down) >= 1 << _SHARE_BITS:
        down += 1
    k = _FIRST
    while k < _END:
        shares[k] += (re[k] >> down) - (shares[k] >> 2)
        k += 1
    top = 0
    line = 0
    contrast = 0
    k = _FIRST + 2
    while k < _END - 2:
        own = shares[k] >> 2
        if own > top:
            top = own
            line = k
        if own >= _MIN_SHARES:
            beside = ((shares[k - 2] + shares[k + 2]) >> 3) + _FLOOR
            above = 0  # sixteenths of an octave; viper divides on some boards only
            while own >= beside << 1:
                own >>= 1
                above += 16
            while own > beside:
                own -= (beside >> 4) + 1
                above += 1
            if above > contrast:
                contrast = above
        k += 1
    state[_TOP] = top
    state[_CONTRAST] = contrast
    state[_LINE] = line


class Spectrum:
    def __init__(self):
        self.levels = array("i", [0] * BANDS)
        self._re = array("i", [0] * _N)
        self._im = array("i", [0] * _N)
        self._shares = array("i", [0] * _END)
        self._state = array("i", [0] * 5)
        self._wander = 0
        # exp(-2 pi i k / 128) for half a turn: cosines at k, minus sines a quarter turn on
        half = [_QUARTER[k] if k <= 32 else -_QUARTER[64 - k] for k in range(64)]
        self._turn = array("i", half + [-x for x in half[:32]])
        self._order = bytes(int("".join(reversed("{:07b}".format(i))), 2) for i in range(_N))

    def add(self, block):
        # a block of 32 samples; `measure` after the fourth
        _add(block, self._re, self._order, self._state)

    def measure(self):
        state = self._state
        up = _scale(self._re, self._im, state[_LARGEST])
        _transform(self._re, self._im, self._turn)
        total = _power(self._re, self._im)
        for band in range(BANDS):
            self.levels[band] = _level(self._re, _EDGES[band], _EDGES[band + 1], up)
        before = state[_LINE]
        _lines(self._re, self._shares, total, state)
        moved = min(16, abs(state[_LINE] - before))
        self._wander += ((moved << 5) - self._wander) >> _EVEN

    def top_share(self):
        # the strongest line's part of all power, 16384 = 1 within a factor of 2
        return self._state[_TOP]

    def top_line(self):
        # its number, 1.95 Hz each
        return self._state[_LINE]

    def wander_x32(self):
        # by how many lines (16 at the most) the strongest moves in half a second, mean of 4 s
        return self._wander

    def contrast_x16(self):
        # the most that any line exceeds those two lines (4 Hz) away, in sixteenths of an octave
        return self._state[_CONTRAST]
