# SPDX-License-Identifier: MIT
# Board layer, simulated: electronic noise from an integer generator, the same on every host.

from array import array

SIZE = 4096  # entries of a table, a power of two
RMS = 256  # of the entries


def table(seed):
    # Nearly Gaussian (the sum of twelve uniform numbers), mean 0, RMS 256.
    state = (seed * 2_654_435_761 + 88_172_645) & 0xFFFFFFFF or 1
    values = array("h", bytes(2 * SIZE))
    for i in range(SIZE):
        total = -6 * 511
        for _ in range(4):
            # xorshift32 (Marsaglia 2003); three uniform numbers of 9 bits from each state
            state ^= (state << 13) & 0xFFFFFFFF
            state ^= state >> 17
            state ^= (state << 5) & 0xFFFFFFFF
            total += (state & 511) + (state >> 9 & 511) + (state >> 18 & 511)
        values[i] = total >> 1
    return values
