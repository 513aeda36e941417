# SPDX-License-Identifier: MIT
# driver of the geophone behind a converter with a DRDY line: each conversion is read when it is
# ready, a filter makes a sample of each four. The converter's oscillator is the clock, the node's
# is not.

from time import ticks_add, ticks_diff, ticks_us

from micropython import const

from ugs.drivers.sampler import RING, Sampler
from ugs.dsp import fir

_MASK = RING - 1
# Without a conversion for so long the converter has stopped.
_STOPPED_US = const(100_000)


class ReadySampler(Sampler):
    # watch(callback) has callback(pin) called when a conversion is ready; None ends it. read()
    # gives its count, 18 bits, or None when it cannot be read now. A straight line takes the place
    # of conversions that were overwritten by the next one; a sample without any that was read
    # counts as missed. Lateness beyond a conversion is found by the clock: conversions come every
    # period_us / 4, within the 2 % of the converter's oscillator.
    #   lost:    conversions that were not read
    #   clipped: samples with a conversion at a rail, seen before the filter

    def __init__(self, watch, read, fs_hz, clip_counts):
        super().__init__(None, read, fs_hz, clip_counts)
        self.lost = 0
        self._watch = watch
        self._conversion_us = self.period_us // fir.BY
        self._half_us = self._conversion_us >> 1
        self._filter = fir.state()
        self._next_us = 0  # when the next conversion is expected
        self._unread = 0  # of those before it, which the filter has not got
        self._last = None  # read since the start
        self._is_read = self._is_clipped = False  # any of the four of the sample in the making
        self._is_filling = False
        self._on_conversion = self._convert

    def start(self):
        fir.restart(self._filter)
        now = self._rate_ticks = ticks_us()
        self._rate_written = self.written - fir.SETTLE
        self._next_us = ticks_add(now, self._conversion_us)
        self._due_us = ticks_add(now, self.period_us)
        self._unread = 0
        self._last = None
        self._is_read = self._is_clipped = False
        self._watch(self._on_conversion)

    def stop(self):
        self._watch(None)

    # Runs in the interrupt: small integers and stores into what exists, nothing else.
    def _convert(self, _pin):
        if self._is_filling:
            return
        late_us = ticks_diff(ticks_us(), self._next_us)
        if late_us < -self._half_us:
            return  # called once more for a conversion that has been read
        if late_us > self.worst_late_us:
            self.worst_late_us = late_us
        if late_us > self._half_us:
            late_us -= self._pass((late_us + self._half_us) // self._conversion_us)
        count = self._read()
        # Follows the converter's clock: its error and the node's are in late_us.
        self._next_us = ticks_add(self._next_us, self._conversion_us + (late_us >> 2))
        self._unread += 1
        if count is None:
            self.lost += 1
            return
        if self._unread > 1:
            self._put(count if self._last is None else self._last, count, self._unread - 1)
        self._last = count
        self._is_read = True
        if count >= self.clip_counts or count <= -self.clip_counts:
            self._is_clipped = True
        self._put(count, count, 1)

    # That many conversions have gone unread. Returns their time.
    def _pass(self, conversions):
        self.lost += conversions
        self._unread += conversions
        passed_us = conversions * self._conversion_us
        self._next_us = ticks_add(self._next_us, passed_us)
        return passed_us

    # Into the filter: so many conversions between two others, or one that is both.
    def _put(self, before, after, conversions):
        self._unread -= conversions
        made = fir.feed(self._filter, before, after, conversions, self.ring, self.written, _MASK)
        if not made:
            return
        self.written += made
        self.missed += made - 1 if self._is_read else made
        if self._is_clipped:
            self.clipped += 1
        self._is_read = self._is_clipped = False
        # The newest sample is of the middle of the taps.
        since = 1 + fir.BY - self._filter[fir.LEFT] + self._unread
        since_us = since * self._conversion_us + fir.DELAY_HALVES * self._half_us
        self._due_us = ticks_add(self._next_us, self.period_us - since_us)

    def keep_time(self):
        if self._waiting_us() <= _STOPPED_US:
            return
        self._is_filling = True
        waiting_us = self._waiting_us()  # again: the interrupt may have come in between
        if waiting_us > _STOPPED_US:
            self._pass(max(0, waiting_us // self._conversion_us - self._unread))
            last = self._last or 0
            self._put(last, last, self._unread)
        self._is_filling = False

    # Since the first conversion that the filter has not got.
    def _waiting_us(self):
        late_us = ticks_diff(ticks_us(), self._next_us)
        return late_us + self._unread * self._conversion_us
