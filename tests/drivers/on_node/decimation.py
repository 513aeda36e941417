# SPDX-License-Identifier: MIT
# The decimator on readings from a file, in pieces of odd lengths: decimation.py; prints samples.

import sys
from array import array

from ugs.dsp import decimate

with open(sys.argv[1], "rb") as file:
    raw = array("H", file.read())
taps, state = decimate.taps(), decimate.state(2047, 63)
out = array("i", (0 for _ in range(64)))
ring = array("H", bytes(2 * 2048))
clipped = done = 0
pieces = (1, 7, 25, 26, 60, 2)
turn = 0
while (done + 60) * 16 <= len(raw):
    count = pieces[turn % len(pieces)]
    turn += 1
    for at in range(done * 16, (done + count) * 16):
        ring[at & 2047] = raw[at]
    clipped += decimate.samples(ring, done * 16, 0, taps, state, out, done, count)
    print("samples", *[out[at & 63] for at in range(done, done + count)])
    done += count
print("clipped", clipped)
