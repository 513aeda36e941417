# SPDX-License-Identifier: MIT
# Conditioning: readings of 12 bits at sixteen times the sample rate become samples.
#
# Six running sums of eight readings (a CIC filter: Hogenauer, IEEE Trans. ASSP 29, 155) at half of
# their rate of 500 Hz pass a filter of 32 taps, 8192 = 1, which makes up for their droop. Together
# flat within 0.06 dB up to 100 Hz, 64 dB down from 150 Hz on, 69 dB down where it folds back to
# below 100 Hz (tests/drivers/test_decimate.py). A sample is in quarters of a code, as the sum of
# four readings is: the filter leaves 0.24 of the noise of a reading.

from array import array

import micropython
from micropython import const

BY = const(16)
# A sample is as old as the reading so many before the newest of its own: 21 for the sums, 124 for
# the taps.
DELAY = const(145)
# Samples until nothing is left of the time before: 42 + 8 * 31 readings.
SETTLE = const(19)
# In `state`: the sums, from word 6 on their values 8 readings before, and 32 values at 500 Hz with
# the next place. These are stored twice, so that 32 successive values follow any place.
_PLACE = const(12)
_RAW_MASK = const(13)
_MASK = const(14)
_LINE = const(16)
_LENGTH = const(32)
_WORDS = const(80)
# Sums wrap in 32 bits and their differences are right. A value of 12 + 18 bits:
_VALUE = const(0x3FFFFFFF)
_TO_15_BITS = const(15)
_MID = const(16384)
_HALF = const(8192)  # 2^13: samples are the sum shifted by 14, to the nearest
# A 64-bit viper loads words without their sign; the low bits of the sum are right all the same, and
# it stays below 2^29 (see ugs.dsp.intake).
_SIGN = const(0x20000000)
_WORD = const(0x3FFFFFFF)


def taps():
    # The first half, the second is its mirror.
    return array(
        "i", (-30, -12, 57, 41, -111, -89, 188, 179, -302, -335, 466, 634, -717, -1350, 1067, 4410)
    )


def state(raw_mask, mask):
    # Of the rings of readings and of samples: their lengths less one.
    words = array("i", (0 for _ in range(_WORDS)))
    words[_RAW_MASK], words[_MASK] = raw_mask, mask
    return words


@micropython.viper
def samples(
    raw: ptr16, first: int, x: int, half: ptr32, state: ptr32, out: ptr32, at: int, count: int
) -> int:
    # Makes `count` samples from 16 readings each, from place `first` of a ring, into another ring
    # from place `at`; `first` is a multiple of 16. Returns how many have a reading at a rail, 0 or
    # 4095. x is an argument because the first three names stay in registers.
    clipped = 0
    place = state[_PLACE]
    a = state[0]
    b = state[1]
    c = state[2]
    d = state[3]
    e = state[4]
    f = state[5]
    while count:
        rails = 0
        first &= state[_RAW_MASK]
        end = first + BY
        while first < end:
            x = raw[first]
            first += 1
            rails |= (x - 1) | (x + 1)  # bit 12 at a rail only
            a += x
            b += a
            c += b
            d += c
            e += d
            f += e
            if first & 7 == 0:
                x = f
                y = x - state[6]
                state[6] = x
                x = y - state[7]
                state[7] = y
                y = x - state[8]
                state[8] = x
                x = y - state[9]
                state[9] = y
                y = x - state[10]
                state[10] = x
                x = y - state[11]
                state[11] = y
                x = ((x & _VALUE) >> _TO_15_BITS) - _MID
                state[_LINE + place] = x
                state[_LINE + _LENGTH + place] = x
                place = (place + 1) & (_LENGTH - 1)
        total = _HALF
        i = 0
        x = _LINE + place
        high = x + _LENGTH - 1
        while i < 16:
            total += (state[x] + state[high]) * half[i]
            total += (state[x + 1] + state[high - 1]) * half[i + 1]
            x += 2
            high -= 2
            i += 2
        out[at & state[_MASK]] = (((total + _SIGN) & _WORD) - _SIGN) >> 14
        at += 1
        clipped += (rails >> 12) & 1
        count -= 1
    state[0] = a
    state[1] = b
    state[2] = c
    state[3] = d
    state[4] = e
    state[5] = f
    state[_PLACE] = place
    return clipped


@micropython.viper
def bridge(ring: ptr16, first: int, end: int, mask: int):
    # A straight line in place of the readings from `first` up to `end`.
    before = ring[(first - 1) & mask]
    rise = ring[end & mask] - before
    steps = end - first + 1
    n = first
    while n < end:
        ring[n & mask] = before + (n - first + 1) * rise // steps
        n += 1
