# SPDX-License-Identifier: MIT
# The filter on conversions from a file, in runs of straight lines: fir.py FILE; prints samples. Of
# each word the low 18 bits are the conversion, and the rest is how many are missing before it.

import sys
from array import array

import micropython

from ugs.dsp import fir

with open(sys.argv[1], "rb") as file:
    words = array("i", file.read())
out = array("i", (0 for _ in range(1024)))
state = fir.state(0x1FFFF, out)
made = 0
for word in words:
    count = (word & 0x3FFFF) - 0x20000
    missing = word >> 18
    before = made
    micropython.heap_lock()
    try:
        made += fir.feed(state, count, missing, 1, out)
    finally:
        micropython.heap_unlock()
    if made > before:
        print("samples", *[out[at & 1023] for at in range(before, made)])
