# SPDX-License-Identifier: MIT
# driver of the geophone behind a converter with a DRDY line: each conversion is read when it is
# ready, four of them make a sample. The converter's oscillator is the clock, the node's is not.

from time import ticks_add, ticks_diff, ticks_us

from micropython import const

from ugs.drivers.sampler import Sampler

_PER_SAMPLE = const(4)
_SHIFT = const(2)
# Without a conversion for so long the converter has stopped.
_STOPPED_US = const(100_000)


class ReadySampler(Sampler):
    # watch(callback) has callback(pin) called when a conversion is ready; None ends it. read()
    # gives its count, or None when it cannot be read now. A conversion that was overwritten by the
    # next one is missing from its sample; a sample without any repeats the one before and counts as
    # missed. Lateness beyond a conversion is found by the clock: conversions come every
    # period_us / 4, within the 2 % of the converter's oscillator.
    #   lost: conversions that were not read

    def __init__(self, watch, read, fs_hz, clip_counts):
        super().__init__(None, read, fs_hz, clip_counts)
        self.lost = 0
        self._watch = watch
        self._conversion_us = self.period_us >> _SHIFT
        self._half_us = self._conversion_us >> 1
        self._next_us = 0  # when the next conversion is expected
        self._place = 0  # of that conversion in its sample
        self._sum = 0
        self._got = 0
        self._is_clipped = False
        self._last = 0
        self._is_filling = False
        self._on_conversion = self._convert

    def start(self):
        now = self._rate_ticks = ticks_us()
        self._next_us = ticks_add(now, self._conversion_us)
        self._due_us = ticks_add(now, self.period_us)
        self._sum = self._got = self._place = 0
        self._is_clipped = False
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
        if count is None:
            self.lost += 1
        else:
            self._sum += count
            self._got += 1
            if count >= self.clip_counts or count <= -self.clip_counts:
                self._is_clipped = True
        # Follows the converter's clock: its error and the node's are in late_us.
        self._next_us = ticks_add(self._next_us, self._conversion_us + (late_us >> 2))
        self._place += 1
        if self._place == _PER_SAMPLE:
            self._close()

    # That many conversions have gone unread. Returns their time.
    def _pass(self, conversions):
        self.lost += conversions
        passed_us = conversions * self._conversion_us
        self._next_us = ticks_add(self._next_us, passed_us)
        conversions += self._place
        if conversions >= _PER_SAMPLE:
            self._close()
            more = (conversions >> _SHIFT) - 1
            if more:
                self._skip(more)
            self._place = conversions & (_PER_SAMPLE - 1)
            since_us = (1 + self._place) * self._conversion_us
            self._due_us = ticks_add(self._next_us, self.period_us - since_us)
        else:
            self._place = conversions
        return passed_us

    def _close(self):
        if self._got:
            self._last = self._sum // self._got
        else:
            self.missed += 1
        if self._is_clipped:
            self.clipped += 1
        self._store(self._last)
        self._due_us = ticks_add(self._next_us, self.period_us - self._conversion_us)
        self._sum = self._got = self._place = 0
        self._is_clipped = False

    def keep_time(self):
        late_us = ticks_diff(ticks_us(), self._next_us)
        if late_us > _STOPPED_US:
            self._is_filling = True
            self._pass(late_us // self._conversion_us)
            self._is_filling = False
