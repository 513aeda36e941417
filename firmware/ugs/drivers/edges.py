# SPDX-License-Identifier: MIT
# driver of the PIR: an interrupt stamps each edge of the output; a task reads the edges later.

from array import array
from time import ticks_ms

from micropython import const

EDGES = const(32)
_MASK = const(31)


class EdgeQueue:
    # pin() returns the level. `on_edge` handles the pin's interrupt on both edges. If the queue of
    # 32 is full, its newest edge is replaced and counted: the start of a movement and the final
    # level matter.
    #   level     after the newest edge taken out
    #   rises     edges to high so far, modulo 2^16
    #   dropped   edges replaced
    #   is_shut   set by ugs.pir_check: edges are read and discarded
    #   is_muted  set by the sampling task: the detector ignores the edges
    #   head      number of the next edge, modulo 2^16; edge n has its stamp in ticks[n & 31] and
    #             its level in levels[n & 31], until 32 more have come (ugs.remote.stream)

    def __init__(self, pin):
        self.dropped = 0
        self.rises = 0
        self.is_shut = False
        self.is_muted = False
        self.level = pin()
        self._pin = pin
        self.ticks = array("i", (0 for _ in range(EDGES)))
        self.levels = bytearray(EDGES)
        self.head = 0
        self._tail = 0
        self.on_edge = self._stamp

    def _stamp(self, _pin):
        level = self._pin()
        if level:
            self.rises = (self.rises + 1) & 0xFFFF
        head = self.head
        if (head - self._tail) & 0xFFFF >= EDGES:
            # Never the edge that pop() reads: with 32 of them that is the oldest.
            self.dropped += 1
            head -= 1
        self.ticks[head & _MASK] = ticks_ms()
        self.levels[head & _MASK] = level
        self.head = (head + 1) & 0xFFFF

    def __len__(self):
        return (self.head - self._tail) & 0xFFFF

    def resync(self):
        # True if no edge is waiting and the pin differs from the newest level: the edge's interrupt
        # was lost, which happens while eight scheduled callbacks are pending. The level is then
        # corrected; if the interrupt still arrives, its edge changes nothing.
        level = self._pin()
        if len(self) or level == self.level:
            return False
        self.level = level
        return True

    def tick(self):
        # The stamp of the oldest edge; check len() first.
        return self.ticks[self._tail & _MASK]

    def pop(self):
        # The level after the oldest edge, which is then removed.
        self.level = self.levels[self._tail & _MASK]
        self._tail = (self._tail + 1) & 0xFFFF
        return self.level
