# SPDX-License-Identifier: MIT
# Conditioning: narrow notches on the stationary lines of a place (mains, pumps, fans).
#
# A line of constant frequency hides weaker steps. Every seven seconds two seconds of the foot band
# are searched, in steps of half a hertz, for a line that holds 40 % of the power. A line that three
# successive searches find gets a notch of 2 Hz. While the trigger is open ten are needed: a passing
# engine has no constant line. There are two notches at most; each ends when it no longer lowers the
# level.

from array import array

import micropython
from micropython import const

_N = const(32)
_WINDOW = const(512)  # samples = 2.05 s
_FIRST = const(20)  # half hertz: 10 Hz
_LAST = const(124)  # 62 Hz
_AT_ONCE = const(2)  # frequencies per block: 52 blocks a search
_SHARE_PCT = const(40)
_SHUT = const(3)  # searches that must find it
_OPEN = const(10)
_NEAR = const(32)  # sixty-fourths of a hertz: half a hertz is the same line
_USELESS = const(4)  # windows
_NOTCHES = const(2)
_STATES = const(7)
_FULL = const(32767)
# Pole radius for 2 Hz between the -3 dB points at fs 250 Hz: 1 - pi * 2 / 250, in Q13.
_R = const(7986)
_RR = const(7785)  # its square
_B = const(7989)  # (1 + r * r) / 2: unity at 0 Hz and far from the notch
_SIGN = const(0x20000000)  # signed loads: see ugs.dsp.intake
_WORD = const(0x3FFFFFFF)
# 128 + 127 cos of 256 steps of a turn: bytes of a compiled module stay in flash.
_TABLE = (
    b"\xff\xff\xff\xff\xfe\xfe\xfe\xfd\xfd\xfc\xfb\xfa\xfa\xf9\xf8\xf7"
    b"\xf5\xf4\xf3\xf1\xf0\xef\xed\xeb\xea\xe8\xe6\xe4\xe2\xe0\xde\xdc"
    b"\xda\xd8\xd5\xd3\xd1\xce\xcc\xc9\xc7\xc4\xc1\xbf\xbc\xb9\xb6\xb3"
    b"\xb1\xae\xab\xa8\xa5\xa2\x9f\x9c\x99\x96\x93\x90\x8c\x89\x86\x83"
    b"\x80\x7d\x7a\x77\x74\x70\x6d\x6a\x67\x64\x61\x5e\x5b\x58\x55\x52"
    b"\x4f\x4d\x4a\x47\x44\x41\x3f\x3c\x39\x37\x34\x32\x2f\x2d\x2b\x28"
    b"\x26\x24\x22\x20\x1e\x1c\x1a\x18\x16\x15\x13\x11\x10\x0f\x0d\x0c"
    b"\x0b\x09\x08\x07\x06\x06\x05\x04\x03\x03\x02\x02\x02\x01\x01\x01"
    b"\x01\x01\x01\x01\x02\x02\x02\x03\x03\x04\x05\x06\x06\x07\x08\x09"
    b"\x0b\x0c\x0d\x0f\x10\x11\x13\x15\x16\x18\x1a\x1c\x1e\x20\x22\x24"
    b"\x26\x28\x2b\x2d\x2f\x32\x34\x37\x39\x3c\x3f\x41\x44\x47\x4a\x4d"
    b"\x4f\x52\x55\x58\x5b\x5e\x61\x64\x67\x6a\x6d\x70\x74\x77\x7a\x7d"
    b"\x80\x83\x86\x89\x8c\x90\x93\x96\x99\x9c\x9f\xa2\xa5\xa8\xab\xae"
    b"\xb1\xb3\xb6\xb9\xbc\xbf\xc1\xc4\xc7\xc9\xcc\xce\xd1\xd3\xd5\xd8"
    b"\xda\xdc\xde\xe0\xe2\xe4\xe6\xe8\xea\xeb\xed\xef\xf0\xf1\xf3\xf4"
    b"\xf5\xf7\xf8\xf9\xfa\xfa\xfb\xfc\xfd\xfd\xfe\xfe\xfe\xff\xff\xff"
)


def _cosine(angle):
    # angle 0..pi/2 and result in Q13, by its series; exact to 2 units
    x = (angle * angle) >> 13
    xx = (x * x) >> 13
    return 8192 - (x >> 1) + xx // 24 - (xx * x >> 13) // 720 + (xx * xx >> 13) // 40320


@micropython.viper
def _notch(block: ptr32, coefs: ptr32, state: ptr32):
    # in place; state: x1 x2 y1 y2 left, then sums of |x| and |y|
    c1 = ((coefs[0] + _SIGN) & _WORD) - _SIGN  # -2 cos w, Q13
    x1 = ((state[0] + _SIGN) & _WORD) - _SIGN
    x2 = ((state[1] + _SIGN) & _WORD) - _SIGN
    y1 = ((state[2] + _SIGN) & _WORD) - _SIGN
    y2 = ((state[3] + _SIGN) & _WORD) - _SIGN
    left = state[4]
    before = state[5]
    after = state[6]
    b1 = (c1 * _B) >> 13
    a1 = (c1 * _R) >> 13
    i = 0
    while i < _N:
        x = ((block[i] + _SIGN) & _WORD) - _SIGN
        total = _B * (x + x2) + b1 * x1 - a1 * y1 - _RR * y2 + left
        y = total >> 13
        left = total & 8191
        if y > _FULL:
            y = _FULL
        elif y < -_FULL:
            y = -_FULL
        x2 = x1
        x1 = x
        y2 = y1
        y1 = y
        block[i] = y
        i += 1
        if x < 0:
            x = -x
        if y < 0:
            y = -y
        before += x
        after += y
    state[0] = x1
    state[1] = x2
    state[2] = y1
    state[3] = y2
    state[4] = left
    state[5] = before
    state[6] = after


@micropython.viper
def _keep(block: ptr32, window: ptr16, at: int):
    i = 0
    while i < _N:
        window[at + i] = block[i] & 0xFFFF
        i += 1


@micropython.viper
def _measure(window: ptr16, out: ptr32):
    # out: shift that brings the peak to 8 bits, total power of what is left
    peak = 0
    i = 0
    while i < _WINDOW:
        x = ((window[i] + 32768) & 0xFFFF) - 32768
        if x < 0:
            x = -x
        if x > peak:
            peak = x
        i += 1
    shift = 0
    while (peak >> shift) > 255:
        shift += 1
    total = 0
    i = 0
    while i < _WINDOW:
        x = (((window[i] + 32768) & 0xFFFF) - 32768) >> shift
        total += x * x
        i += 1
    out[0] = shift
    out[1] = total


@micropython.viper
def _power(window: ptr16, table: ptr8, shift: int, step: int) -> int:
    # at one frequency; step: 2^16 is one turn per sample
    c = 0
    s = 0
    phase = 0
    i = 0
    while i < _WINDOW:
        x = (((window[i] + 32768) & 0xFFFF) - 32768) >> shift
        turn = phase >> 8
        c += x * (table[turn & 255] - 128)
        s += x * (table[(turn - 64) & 255] - 128)
        phase += step
        i += 1
    c >>= 9
    s >>= 9
    return c * c + s * s


class Lines:
    # hz_x64: frequency of each notch in sixty-fourths of a hertz, 0 for none

    def __init__(self):
        self.hz_x64 = array("i", [0] * _NOTCHES)
        self._coefs = [array("i", [0]) for _ in range(_NOTCHES)]
        self._states = [array("i", [0] * _STATES) for _ in range(_NOTCHES)]
        self._useless = bytearray(_NOTCHES)
        self._window = array("H", [0] * _WINDOW)
        self._at = 0
        self._out = array("i", [0, 0])
        self._half_hz = 0  # 0: the window fills
        self._before = self._last = 0  # powers at the two frequencies before
        self._best = self._best_at = self._best_skew = 0
        self._found_x64 = 0
        self._times = 0

    def run(self, block):
        # the notches, in place
        for k in range(_NOTCHES):
            if self.hz_x64[k]:
                _notch(block, self._coefs[k], self._states[k])

    def look(self, block, is_open):
        # each block, behind the notches and the foot band
        if self._half_hz:
            self._search(is_open)
            return
        _keep(block, self._window, self._at)
        self._at += _N
        if self._at < _WINDOW:
            return
        self._at = 0
        self._drop(is_open)
        _measure(self._window, self._out)
        self._half_hz = _FIRST
        self._before = self._last = self._best = 0

    def _search(self, is_open):
        # a window's frequencies, a few per block
        shift = self._out[0]
        for _ in range(_AT_ONCE):
            here = self._half_hz
            # 65536 / 250 Hz / 2 = 131.07 a half hertz
            power = _power(self._window, _TABLE, shift, here * 131072 // 1000)
            around = self._before + self._last + power
            if here > _FIRST + 1 and self._last >= self._before and self._last >= power:
                if around > self._best:
                    self._best = around
                    self._best_at = here - 1
                    self._best_skew = ((power - self._before) >> 6) * 32 // ((around >> 6) + 1)
            self._before = self._last
            self._last = power
            self._half_hz = here + 1
        if self._half_hz > _LAST:
            self._half_hz = 0
            self._decide(is_open)

    def _decide(self, is_open):
        # p * 6.35 / total is the share in percent: 2 / (127 * 127 * 512) * 2^18
        if (self._best >> 4) * 6 < _SHARE_PCT * (self._out[1] >> 4):
            self._times = 0
            return
        x64 = self._best_at * 32 + self._best_skew
        if abs(x64 - self._found_x64) > _NEAR:
            self._found_x64 = x64
            self._times = 0
        self._found_x64 += (x64 - self._found_x64) >> 1
        self._times += 1
        if self._times >= (_OPEN if is_open else _SHUT):
            self._times = 0
            self._set(self._found_x64)

    def _set(self, x64):
        for k in range(_NOTCHES):
            if not self.hz_x64[k] or abs(self.hz_x64[k] - x64) <= 2 * _NEAR:
                if not self.hz_x64[k]:
                    for i in range(_STATES):
                        self._states[k][i] = 0
                self.hz_x64[k] = x64
                # 2 pi / 250 / 64 in Q13 is 3.217
                self._coefs[k][0] = -2 * _cosine(x64 * 3294 >> 10)
                self._useless[k] = 0
                return

    def _drop(self, is_open):
        # A passing target is louder than the line: then no notch lowers the level.
        for k in range(_NOTCHES):
            state = self._states[k]
            if state[6] <= state[5] - (state[5] >> 3):
                self._useless[k] = 0
            elif not is_open:
                self._useless[k] += 1
                if self._useless[k] >= _USELESS:
                    self.hz_x64[k] = 0
            state[5] = state[6] = 0
