# SPDX-License-Identifier: MIT
# Ground layer, simulated: the vertical velocity at one geophone, read from a file.

from array import array

_CHUNK = 2048  # samples held at a time
_RING_HEADER = 8  # a ring begins with the count of samples written so far, int64


class Feed:
    # The file holds little-endian int32, nm/s; sample 0 belongs to time t0_us. A plain file (ring
    # 0) has a start and an end; a ring of that many samples is overwritten in a circle, always
    # somewhat ahead of the reader. Outside of what is written the ground is still.

    def __init__(self, path, fs_hz, t0_us, ring=0):
        self._file = open(path, "rb", 0)  # unbuffered: a ring changes under its reader
        self._fs_hz = fs_hz
        self._t0_us = t0_us
        self._ring = ring
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
        self._first = index
        self._length = self._read_ring(index) if self._ring else self._read(4 * index)
        return self._chunk[0] if self._length else 0

    def _read(self, offset):
        self._file.seek(offset)
        return self._file.readinto(self._chunk) // 4

    def _read_ring(self, index):
        # Never past the newest sample: what follows it is a lap old.
        self._file.seek(0)
        written = int.from_bytes(self._file.read(_RING_HEADER), "little")
        at = index % self._ring
        ready = min(written - index, self._ring - at)
        if ready <= 0:
            return 0
        return min(ready, self._read(_RING_HEADER + 4 * at))
