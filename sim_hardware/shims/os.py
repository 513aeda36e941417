# SPDX-License-Identifier: MIT
# Board layer, simulated: `os` of the host's MicroPython, but urandom repeats with the seed.

import random

import simclock
import uos
from uos import *


def urandom(size):
    if not simclock.virtual:
        return uos.urandom(size)
    return bytes(random.getrandbits(8) for _ in range(size))
