# SPDX-License-Identifier: MIT
# Conditioning: conversions at four times the sample rate become samples.
#
# 64 symmetric taps at 1000 Hz, 16384 = 1: flat within 0.08 dB up to 100 Hz, 63 dB down from 150 Hz
# on (tests/drivers/test_fir.py). The filter leaves 0.48 of the noise of a conversion.

from array import array

import micropython
from micropython import const

BY = const(4)
# A sample is as old as the data this many half conversions before its newest one.
DELAY_HALVES = const(63)
# Samples that are discarded because the taps are not yet full of conversions.
SETTLE = const(15)
_TAPS = const(64)
_PAIRS = const(32)
# In `state`: conversions until the next sample; count of samples made without any conversion read,
# and with one at a rail; whether the present sample has such ones; whether there was a conversion,
# and the newest; where the rail is; the place of the next sample in its ring, and the mask of that;
# the next place in the line; the first half of the taps, whose second half is its mirror; the line.
LEFT = const(0)
MISSED = const(1)
CLIPPED = const(2)
_IS_READ = const(3)
_IS_AT_RAIL = const(4)
_IS_STARTED = const(5)
_LAST = const(6)
_RAIL = const(7)
_AT = const(8)
_MASK = const(9)
_PLACE = const(10)
_HALF = const(11)
_LINE = const(43)
# Conversions are 18 bits with their sign. The taps add up to 1.72 without their signs, so the sum
# stays within 32 bits when the line holds halves of counts. Rounding to them adds 1 % to the noise
# of a conversion, which is 4 counts.
_ROUND = const(4096)  # 2^12: samples are the sum shifted by 13, to the nearest
# A 64-bit viper loads words without their sign. The low 32 bits of the sum are right all the same,
# of which 19 are left.
_SIGN = const(0x40000)
_WORD = const(0x7FFFF)


def state(rail, ring):
    # fmt: off
    half = (
        -7, -6, 0, 14, 30, 37, 25, -7, -47, -70, -54, 4, 81, 131, 111, 11,
        -127, -226, -206, -45, 195, 384, 380, 122, -312, -704, -780, -338, 638, 1928, 3146, 3884,
    )
    # fmt: on
    words = array("i", (0 for _ in range(_LINE + _TAPS)))
    for at in range(_PAIRS):
        words[_HALF + at] = half[at]
    words[_RAIL] = rail
    words[_MASK] = len(ring) - 1
    restart(words)
    return words


def restart(state):
    # The first sample comes when the line is full again.
    state[LEFT] = _TAPS
    state[_IS_READ] = state[_IS_AT_RAIL] = state[_IS_STARTED] = 0


@micropython.viper
def feed(state: ptr32, value: int, missing: int, is_read: int, ring: ptr32) -> int:
    # Takes a conversion and the count of missing ones before it, which are put on the straight line
    # from the newest one to this. With is_read 0 this one is missing too, and the newest is held.
    # Returns how many samples were made.
    left = state[LEFT]
    place = state[_PLACE]
    last = ((state[_LAST] + _SIGN) & _WORD) - _SIGN
    if is_read == 0:
        value = last
    if state[_IS_STARTED] == 0:
        state[_IS_STARTED] = is_read
        last = value
    state[_LAST] = value
    step = 0
    if missing:
        step = ((value - last) << 8) // (missing + 1)
    last <<= 8
    made = 0
    while missing >= 0:
        last += step
        if missing == 0:
            last = value << 8
            if is_read:
                state[_IS_READ] = 1
                if value >= state[_RAIL] or value <= 0 - state[_RAIL]:
                    state[_IS_AT_RAIL] = 1
        missing -= 1
        state[_LINE + place] = last >> 9
        place = (place + 1) & 63
        left -= 1
        if left == 0:
            left = BY
            total = _ROUND
            i = 0
            while i < _PAIRS:
                x = state[_LINE + ((place + i) & 63)] + state[_LINE + ((place + 63 - i) & 63)]
                total += x * state[_HALF + i]
                i += 1
            at = state[_AT]
            ring[at] = (((total >> 13) + _SIGN) & _WORD) - _SIGN
            state[_AT] = (at + 1) & state[_MASK]
            made += 1
            state[MISSED] += 1 - state[_IS_READ]
            state[CLIPPED] += state[_IS_AT_RAIL]
            state[_IS_READ] = 0
            state[_IS_AT_RAIL] = 0
    state[LEFT] = left
    state[_PLACE] = place
    return made
