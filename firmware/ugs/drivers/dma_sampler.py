# SPDX-License-Identifier: MIT
# driver of the geophone on a free-running converter that writes its readings into a ring by DMA. No
# interrupt and no timer: a collection, a flash erase or busy code delays nothing.

import gc
from time import sleep_us, ticks_diff, ticks_us

from micropython import const

from ugs.drivers.sampler import RING, Sampler
from ugs.dsp import decimate

_MASK = RING - 1
# Readings that may arrive while a full ring is filtered: 32 ms at 4 kHz, 11 ms are needed.
_MARGIN = const(128)
_ASIDE_WAITS = const(40)
_RATE_US = const(1_000_000)  # over less time the rate would be off by a sample or two


class DmaSampler(Sampler):
    # converter: `readings`, the length of its ring, a power of two; raw_hz, 16 times fs_hz; lap, a
    # power of two; start() and stop(). After start(): ring, a buffer of 16-bit readings, and
    # transfers(), the count of readings modulo lap, the newest at ring place (transfers() - 1);
    # turn(is_aside): whether the next readings are of the other input; read_aside(), one reading of
    # that input while stopped.
    # Samples are made when the sampling task calls keep_time(). Its first call starts the
    # converter: the ring takes heap, and a node has most heap once it is built. The time between
    # two calls may be as long as the ring. The count of readings is the clock, and is compared with
    # the node's clock.
    #   missed:  samples without readings of their own: overwritten, or read too late
    #   clipped: samples with a reading at a rail, seen before the filter
    #   bridged: readings of another input, replaced by a straight line
    #   worst_late_us: longest time that a reading has waited in the ring

    def __init__(self, converter, fs_hz, clip_counts):
        super().__init__(None, None, fs_hz, clip_counts)
        self.bridged = 0
        self._converter = converter
        self._raw_us = 1_000_000 // converter.raw_hz
        self._ring_mask = converter.readings - 1
        self._lap_mask = converter.lap - 1
        self._taps = decimate.taps()
        self._state = decimate.state(self._ring_mask, _MASK)
        self._is_running = False
        self._is_started = False
        self._settle = 0  # samples until the filter has forgotten the time before the start
        self._taken = 0  # readings filtered, modulo lap
        self._counted = 0  # transfers at the last check
        self._looked = 0  # ticks of that
        self._behind_us = 0  # the clock's time less that of the readings
        self._rate_count = 0
        self._rate = 0
        self._aside = -1  # first of the readings to bridge, -1 without
        self._aside_end = 0
        self._aside_code = 0

    def start(self):
        self._is_running = True

    def stop(self):
        self._is_running = False
        if self._is_started:
            self._is_started = False
            self._converter.stop()

    def keep_time(self):
        # Makes samples of all readings that are there.
        if not self._is_running:
            return
        if not self._is_started:
            self._begin()
        waiting = self._follow()
        if waiting * self._raw_us > self.worst_late_us:
            self.worst_late_us = waiting * self._raw_us
        if not self._close_bridge():
            return
        late = waiting - (self._ring_mask + 1 - _MARGIN)
        if late > 0:
            late = (late + decimate.BY - 1) // decimate.BY
            self.overruns += late
            self._taken = (self._taken + late * decimate.BY) & self._lap_mask
            waiting -= late * decimate.BY
            self._fill(late)
        first = self._taken
        count = waiting // decimate.BY
        settle = min(count, self._settle)
        if settle:
            self._settle -= settle
            self._filter(settle)
        if count > settle:
            self.written += self._filter(count - settle)
        late = ((self._converter.transfers() - first) & self._lap_mask) - self._ring_mask - 1
        if late > 0:  # overwritten while they were filtered
            late = (late + decimate.BY - 1) // decimate.BY
            self.overruns += late
            self.missed += late

    def rate_hz_x100(self):
        if not self._is_started:
            return 0
        now, count = ticks_us(), self._converter.transfers()
        passed_us = ticks_diff(now, self._rate_ticks)
        if passed_us >= _RATE_US or (self._rate == 0 and passed_us > 0):
            arrived = (count - self._rate_count) & self._lap_mask
            self._rate_ticks, self._rate_count = now, count
            self._rate = arrived * 100_000_000 // decimate.BY // passed_us
        return self._rate

    def age_us(self, index):
        # The newest reading is half a period old on average.
        waiting = (self._converter.transfers() - self._taken) & self._lap_mask
        newest_us = (waiting + decimate.DELAY) * self._raw_us + self._raw_us // 2
        return newest_us + (self.written - 1 - index) * self.period_us

    def read_aside(self):
        # One reading of the other input, 12 bits. It replaces two or three of the geophone, which
        # keep_time() bridges.
        converter = self._converter
        if not self._is_started:
            return converter.read_aside()
        if self._aside >= 0:
            return self._aside_code
        # No collection before it is switched back: the readings of 18 ms, four samples, would be of
        # the other input. turn() allocates, and every 16 KB trigger a collection (boot.py).
        gc.disable()
        try:
            first = converter.transfers()
            converter.turn(True)
            # The first of these may have started before.
            waits = 0
            while (converter.transfers() - first) & self._lap_mask < 2 and waits < _ASIDE_WAITS:
                sleep_us(self._raw_us)
                waits += 1
            converter.turn(False)
        finally:
            gc.enable()
        # One may have started before this.
        self._aside, self._aside_end = first, converter.transfers() + 1
        if waits < _ASIDE_WAITS:
            place = 2 * ((first + 1) & self._ring_mask)
            ring = converter.ring
            self._aside_code = ring[place] | ring[place + 1] << 8
        return self._aside_code

    def _begin(self):
        self._converter.start()
        self._is_started = True
        self._looked = self._rate_ticks = ticks_us()
        self._taken = self._counted = self._rate_count = 0
        self._behind_us = 0
        self._settle = decimate.SETTLE
        self._aside = -1

    # Compares the clock with the count; returns how many readings wait.
    def _follow(self):
        now, count = ticks_us(), self._converter.transfers()
        arrived = (count - self._counted) & self._lap_mask
        behind_us = self._behind_us + ticks_diff(now, self._looked) - arrived * self._raw_us
        self._looked, self._counted = now, count
        if behind_us < -self._raw_us:
            behind_us = -self._raw_us  # counted just after the ticks; or another crystal
        # A stopped converter makes no samples, so that the watchdog resets the node.
        if arrived and behind_us >= 2 * self.period_us:
            lost = behind_us // self.period_us
            behind_us -= lost * self.period_us
            self._fill(lost)
        self._behind_us = behind_us
        return (count - self._taken) & self._lap_mask

    def _filter(self, count):
        first = self._taken
        self._taken = (first + count * decimate.BY) & self._lap_mask
        self.clipped += decimate.samples(
            self._converter.ring,
            first,
            0,
            self._taps,
            self._state,
            self.ring,
            self.written,
            count,
        )
        return count

    # False while the reading after the gap is missing.
    def _close_bridge(self):
        first = self._aside
        if first < 0:
            return True
        since = (self._converter.transfers() - first) & self._lap_mask
        gap = (self._aside_end - first) & self._lap_mask
        if since <= gap:
            return False
        self._aside = -1
        if since < self._ring_mask:
            decimate.bridge(self._converter.ring, first, first + gap, self._ring_mask)
            self.bridged += gap
            self.missed += gap // decimate.BY
        return True
