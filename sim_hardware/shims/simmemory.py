# SPDX-License-Identifier: MIT
# Board layer, simulated: the heap of the board and the time of its collections.
#
# `gc` cannot be shadowed by a file. Its replacement in sys.modules collects with the host's own
# and charges the time that the board would need for the node's own objects.

import gc
import sys

import simcharge
import simclock

# Objects of a 64-bit build are twice as large as on the boards' 32 bits.
_WORDS = 2 if sys.maxsize > 0x7FFFFFFF else 1

# Sizes of the pieces that fill the heap, because the host's heap is never contiguous.
_PIECE_MAX = 65_536
_PIECE_MIN = 32
# The least that a collection frees; a quarter of the threshold, once one is set.
_MIN_FREED = 4_096
_ballast = None
_SQUEEZED_FREE = 6_000
_squeezed = None
_base_bytes = 0  # live before the node's first line: the simulator's own
_from_sources = True
_in_flash = 0  # no collection scans it


def fit(free_bytes, in_flash):
    # Fills the part of the heap that the board does not have. Code that is in the board's flash is
    # on the heap here, so it gets extra space. Raises MemoryError when the heap is too small.
    global _ballast, _in_flash
    _in_flash = in_flash * _WORDS
    free_bytes += in_flash
    # The board's heap is free in one piece, so that piece is held while the rest is filled.
    gc.collect()
    board = bytearray(free_bytes * _WORDS)
    size = _PIECE_MAX
    while size >= _PIECE_MIN:
        try:
            _ballast = (_ballast, bytearray(size))
        except MemoryError:
            size >>= 1
    del board
    gc.collect()


def squeeze(begin_us, end_us):
    # Between these times hardly any heap is free.
    def take(_t_us):
        global _squeezed
        gc.collect()
        size = _PIECE_MAX
        while size >= _PIECE_MIN and gc.mem_free() > _SQUEEZED_FREE * _WORDS:
            try:
                _squeezed = (_squeezed, bytearray(min(size, gc.mem_free() // 2)))
            except MemoryError:
                size >>= 1

    def give(_t_us):
        global _squeezed
        _squeezed = None

    if begin_us > simclock.now():
        simclock.at(begin_us, take)
        simclock.at(end_us, give)


def note_import(is_source):
    global _from_sources
    _from_sources = is_source


class Collector:
    # The functions of `gc`. The host collects by itself at the threshold, without a callback. A
    # large fall of the allocation between two waits shows it, and it is charged then. A small fall
    # does not: a list that grows frees its old block without a collection.

    def __init__(self):
        self._seen_bytes = 0
        self._min_freed = _MIN_FREED
        self.enable = gc.enable
        self.disable = gc.disable
        self.isenabled = gc.isenabled
        self.mem_alloc = gc.mem_alloc
        self.mem_free = gc.mem_free

    def start(self):
        global _base_bytes
        gc.collect()
        _base_bytes = self._seen_bytes = gc.mem_alloc()

    def collect(self):
        gc.collect()
        self._charge()

    def threshold(self, *amount):
        if amount and amount[0] > 0:
            self._min_freed = amount[0] * _WORDS // 4
        return gc.threshold(*(n * _WORDS if n > 0 else n for n in amount))

    def wait(self):
        # simclock calls this whenever the node waits.
        live_bytes = gc.mem_alloc()
        if live_bytes < self._seen_bytes - self._min_freed:
            self._charge()
        else:
            self._seen_bytes = live_bytes

    def _charge(self):
        self._seen_bytes = gc.mem_alloc()
        live_bytes = max(0, self._seen_bytes - _base_bytes - _in_flash)
        simcharge.collect(live_bytes // _WORDS, _from_sources)
