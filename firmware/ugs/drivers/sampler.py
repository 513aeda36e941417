# SPDX-License-Identifier: MIT
# driver of the geophone: a timer reads one count at a time into a ring.

from array import array
from time import ticks_add, ticks_diff, ticks_us

from micropython import const

RING = const(1024)
_MASK = const(1023)
# A scheduled timer callback may wait behind a collection (about 10 ms) or a flash erase (45 ms
# typical, W25Q16JV section 9.6); a delay of more than this many periods counts as samples missed.
_SLACK_PERIODS = const(6)
_RATE_US = const(1_000_000)


class Sampler:
    # start_timer(fs_hz, callback) starts a periodic timer; read() returns one count and allocates
    # nothing. Sample n of the timer's grid is always in ring[n & 1023]: slots that the timer missed
    # are filled with the sample before, so the ring stays in step with time.
    #   written: samples in the ring since start, the missed ones too (2^30 after 49 days; the node
    #            restarts before)
    #   missed:  slots without a reading of their own
    #   clipped: readings at or beyond +-clip_counts, where the front end is at its rail
    #   overruns: samples overwritten before the sampling task read them
    #   worst_late_us: the largest delay of a reading

    def __init__(self, start_timer, read, fs_hz, clip_counts):
        self.ring = array("i", (0 for _ in range(RING)))
        self.fs_hz = fs_hz
        self.period_us = 1_000_000 // fs_hz
        self.clip_counts = clip_counts
        self.written = 0
        self.missed = 0
        self.clipped = 0
        self.overruns = 0
        self.worst_late_us = 0
        self._rate_ticks = 0
        self._rate_written = 0
        self._rate = 0
        self._start_timer = start_timer
        self._read = read
        self._due_us = 0
        self._slack_us = _SLACK_PERIODS * self.period_us
        self._timer = None
        # A bound method is an object: created once here, because an interrupt must not create one.
        self._on_timer = self._take

    def start(self):
        self._rate_ticks = ticks_us()
        self._due_us = ticks_add(self._rate_ticks, self.period_us)
        self._timer = self._start_timer(self.fs_hz, self._on_timer)

    def stop(self):
        if self._timer is not None:
            self._timer.deinit()

    def keep_time(self):
        # Called by the sampling task: for a sampler whose clock may stop, or that is free-running.
        pass

    def rate_hz_x100(self):
        # Samples per second since the last call, which is less than 9 minutes ago; the previous
        # result if that is less than a second ago, because one sample more or less would weigh too
        # much.
        now, written = ticks_us(), self.written
        passed_us = ticks_diff(now, self._rate_ticks)
        if passed_us >= _RATE_US or (self._rate == 0 and passed_us > 0):
            self._rate = (written - self._rate_written) * 100_000_000 // passed_us
            self._rate_ticks, self._rate_written = now, written
        return self._rate

    # Runs in the interrupt: small integers and stores into existing objects only.
    def _take(self, _timer):
        late_us = ticks_diff(ticks_us(), self._due_us)
        if late_us > self.worst_late_us:
            self.worst_late_us = late_us
        if late_us > self._slack_us:
            self._skip(late_us // self.period_us)
        elif late_us < -(self.period_us >> 1):
            return  # the timer catches up on slots already filled
        count = self._read()
        if count >= self.clip_counts or count <= -self.clip_counts:
            self.clipped += 1
        self._store(count)
        self._due_us = ticks_add(self._due_us, self.period_us)

    def _store(self, count):
        self.ring[self.written & _MASK] = count
        self.written += 1

    def _skip(self, slots):
        self._due_us = ticks_add(self._due_us, slots * self.period_us)
        self._fill(slots)

    def _fill(self, slots):
        self.missed += slots
        count = self.ring[(self.written - 1) & _MASK]
        fill = slots if slots < RING else RING
        first = self.written + slots - fill
        self.written += slots
        while fill:
            fill -= 1
            self.ring[(first + fill) & _MASK] = count

    def age_us(self, index):
        # Age of sample `index` in microseconds. Read twice around the interrupt.
        while True:
            written = self.written
            due_us = self._due_us
            if written == self.written:
                break
        newest_us = ticks_diff(ticks_us(), due_us) + self.period_us
        return newest_us + (written - 1 - index) * self.period_us
