# SPDX-License-Identifier: MIT
# Conditioning: ring samples to a block of 4 nm/s units without the offset.
#
# One unit is 4 nm/s on every front end, so that all later stages are independent of the ADC. +-2^15
# units are +-131 um/s: more than the amplifier of gain 500 passes before it clips.

from array import array

import micropython
from micropython import const

BLOCK = const(32)
_FULL = const(32767)
_COUNT = const(131071)  # ring samples are clamped to 18 bits: times a 13-bit gain fits 31 bits
_DC_SHIFT = const(9)  # the offset follows with 2^9 samples = 2 s at 250 Hz
# A 64-bit viper loads a ptr32 word without its sign, so signed loads are brought back explicitly:
# ((x + _SIGN) & _WORD) - _SIGN is x for |x| < 2^29 on every machine, CPython included.
_SIGN = const(0x20000000)
_WORD = const(0x3FFFFFFF)
_MASK = const(0)
_GAIN = const(1)
_OFFSET = const(2)
_STARTED = const(3)


@micropython.viper
def _take(ring: ptr32, out: ptr32, state: ptr32, start: int):
    mask = state[_MASK]
    gain = state[_GAIN]
    i = 0
    total = 0
    while i < BLOCK:
        x = ((ring[(start + i) & mask] + _SIGN) & _WORD) - _SIGN
        if x > _COUNT:
            x = _COUNT
        elif x < -_COUNT:
            x = -_COUNT
        x = (x * gain) >> 10
        total += x >> 5
        out[i] = x
        i += 1
    if state[_STARTED] == 0:  # start at the offset instead of ringing down from it
        state[_STARTED] = 1
        state[_OFFSET] = total << _DC_SHIFT
    offset = ((state[_OFFSET] + _SIGN) & _WORD) - _SIGN
    i = 0
    while i < BLOCK:
        x = ((out[i] + _SIGN) & _WORD) - _SIGN
        # accumulator form (holds x * 2^k): (x - y) >> k alone has a dead zone
        offset += x - (offset >> _DC_SHIFT)
        x -= offset >> _DC_SHIFT
        if x > _FULL:
            x = _FULL
        elif x < -_FULL:
            x = -_FULL
        out[i] = x
        i += 1
    state[_OFFSET] = offset


class Intake:
    def __init__(self, nm_s_per_count_x256):
        if not 1 <= nm_s_per_count_x256 <= 8191:
            raise ValueError("nm_s_per_count_x256 must be 1..8191")
        self.block = array("i", [0] * BLOCK)
        self._state = array("i", [0, nm_s_per_count_x256, 0, 0])

    def take(self, ring, start):
        self._state[_MASK] = len(ring) - 1
        _take(ring, self.block, self._state, start)
