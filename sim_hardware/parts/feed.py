# SPDX-License-Identifier: MIT
# Room "ground", simulated: the vertical velocity at one geophone, read from a file that may grow.

import os
from array import array

_CHUNK = 2048  # samples held at a time


class Feed:
    # The file holds little-endian int32, nm/s; sample 0 belongs to time t0_us. Before the first and
    # after the last sample the ground is still. `short` counts the readings past the end.

    def __init__(self, path, fs_hz, t0_us):
        self.short = 0
        self._file = open(path, "rb")
        self._fs_hz = fs_hz
        self._t0_us = t0_us
        self._period_us = 0 if 1_000_000 % fs_hz else 1_000_000 // fs_hz
        self._chunk = array("i", bytes(4 * _CHUNK))
        self._first = 0
        self._length = 0

    def at(self, t_us):
        # nm/s at that time: the sample whose period contains it, as a converter would hold it.
        t_us -= self._t0_us
        if self._period_us:
            i = t_us // self._period_us - self._first
        else:
            i = t_us * self._fs_hz // 1_000_000 - self._first
        if 0 <= i < self._length:
            return self._chunk[i]
        return self._load(i + self._first)

    def _load(self, index):
        if index < 0:
            return 0
        self._file.seek(4 * index)
        size = self._file.readinto(self._chunk)
        self._first = index
        self._length = size // 4
        if self._length:
            return self._chunk[0]
        self.short += 1
        return 0


def require(path):
    # Raises OSError when there is no such file.
    os.stat(path)
