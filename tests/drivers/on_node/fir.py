# SPDX-License-Identifier: MIT
# The filter on conversions from a file, in runs of straight lines: fir.py FILE; prints samples. Of
# each word the low 18 bits are the conversion, and the rest is how many are missing before it.

import sys
from array import array

import micropython

from ugs.dsp import fir

with open(sys.argv[1], "rb") as file:
    words = array("i", file.read())
state = fir.state()
out = array("i", (0 for _ in range(1024)))
made = 0
last = 0
for word in words:
    count = (word & 0x3FFFF) - 0x20000
    missing = word >> 18
    before = made
    micropython.heap_lock()
    try:
        if missing:
            made += fir.feed(state, last, count, missing, out, made, 1023)
        made += fir.feed(state, count, count, 1, out, made, 1023)
    finally:
        micropython.heap_unlock()
    last = count
    if made > before:
        print("samples", *[out[at & 1023] for at in range(before, made)])
