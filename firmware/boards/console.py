# SPDX-License-Identifier: MIT
# console: the USB console of a board as a serial line. Log lines appear between the frames.

import select
import sys

import micropython


class Console:
    # Reads byte by byte: a read from a board's stdin blocks until all requested bytes are there.
    #   received: bytes so far; ugs.remote.stream checks it to see that the host is still there
    name = "console"
    received = 0

    def __init__(self):
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._byte = bytearray(1)
        self._readable = select.poll()
        self._readable.register(sys.stdin, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(sys.stdout, select.POLLOUT)

    def open(self):
        micropython.kbd_intr(-1)  # Ctrl-C is an ordinary byte

    def close(self):
        micropython.kbd_intr(3)

    def readinto(self, view):
        byte = self._byte
        for count in range(len(view)):
            if not _is_ready(self._readable) or not self._in.readinto(byte):
                return count
            view[count] = byte[0]
            self.received += 1
        return len(view)

    def write(self, data):
        # All or nothing, so that no log line interrupts a frame.
        if not _is_ready(self._writable):
            return 0
        self._out.write(data)
        return len(data)


def _is_ready(poll):
    for _ in poll.ipoll(0):  # unlike poll(), it allocates nothing
        return True
    return False
