# SPDX-License-Identifier: MIT
# driver of the geophone behind a converter with a DRDY line: each conversion is read when it is
# ready, and a filter makes a sample of every four. The converter's oscillator is the clock, not the
# node's.

from array import array
from time import ticks_us

import micropython
from micropython import const

from ugs.drivers.sampler import Sampler
from ugs.dsp import fir
from ugs.dsp.fir import feed

# Without a conversion for this time the converter has stopped.
_STOPPED_US = const(100_000)
# In `clock`: when the next conversion is expected, and their period; the largest delay of one.
_NEXT = const(0)
_PERIOD = const(1)
_WORST = const(2)
# Ticks wrap at 2^30; those of a 64-bit build are truncated to that.
_TICKS = const(0x3FFFFFFF)
_HALF_TURN = const(0x20000000)


@micropython.viper
def _late_us(clock: ptr32, now_us: int) -> int:
    return ((now_us - clock[_NEXT] + _HALF_TURN) & _TICKS) - _HALF_TURN


@micropython.viper
def _pass(clock: ptr32, conversions: int):
    clock[_NEXT] = (clock[_NEXT] + conversions * clock[_PERIOD]) & _TICKS


@micropython.viper
def _follow(clock: ptr32, now_us: int) -> int:
    # A conversion is ready: returns how many before it were not read; -1 if it was already read.
    late_us = ((now_us - clock[_NEXT] + _HALF_TURN) & _TICKS) - _HALF_TURN
    period_us = clock[_PERIOD]
    half_us = period_us >> 1
    if late_us < 0 - half_us:
        return -1
    if late_us > clock[_WORST]:
        clock[_WORST] = late_us
    unread = 0
    next_us = clock[_NEXT] + period_us
    if late_us > half_us:
        unread = (late_us + half_us) // period_us
        late_us -= unread * period_us
        next_us += unread * period_us
    # Follows the converter's clock: the errors of both clocks are in late_us.
    clock[_NEXT] = (next_us + (late_us >> 2)) & _TICKS
    return unread


class ReadySampler(Sampler):
    # watch(callback): callback(pin) is called when a conversion is ready; None ends it. read()
    # returns its count, 18 bits, or None if it cannot be read now. A straight line replaces
    # conversions that were overwritten by the next one; a sample without any conversion read counts
    # as missed. A delay beyond one conversion is detected by the clock: conversions arrive every
    # period_us / 4, within the 2 % of the converter's oscillator.
    #   lost:    conversions that were not read
    #   clipped: samples with a conversion at a rail, seen before the filter
    # missed, clipped and worst_late_us are as of the last call of keep_time(), by the sampling
    # task.

    def __init__(self, watch, read, fs_hz, clip_counts):
        super().__init__(None, read, fs_hz, clip_counts)
        self.lost = 0
        self._watch = watch
        self._conversion_us = self.period_us // fir.BY
        self._clock = array("i", (0, self._conversion_us, 0))
        self._filter = fir.state(clip_counts, self.ring)
        self._unread = 0  # conversions that the filter did not receive
        self._missed = self._clipped = 0  # by the filter, and counted
        self._is_filling = False
        self._on_conversion = self._convert

    def start(self):
        fir.restart(self._filter)
        now = self._rate_ticks = ticks_us()
        self._rate_written = self.written - fir.SETTLE
        self._clock[_NEXT] = now & _TICKS
        _pass(self._clock, 1)
        self._unread = 0
        self._watch(self._on_conversion)

    def stop(self):
        self._watch(None)

    # Runs in the interrupt: small integers and stores into existing objects only. Most of its time
    # is in viper: at a thousand calls a second each attribute access counts.
    def _convert(self, _pin):
        if self._is_filling:
            return
        unread = _follow(self._clock, ticks_us())
        if unread < 0:
            return
        count = self._read()
        if unread:
            self._leave_out(unread)
        if count is None:
            self._leave_out(1)
            return
        made = feed(self._filter, count, self._unread, 1, self.ring)
        self._unread = 0
        if made:
            self.written += made

    def _leave_out(self, conversions):
        self.lost += conversions
        self._unread += conversions

    def keep_time(self):
        if self._waiting_us() > _STOPPED_US:
            self._hold()
        self.worst_late_us = self._clock[_WORST]
        missed, clipped = self._filter[fir.MISSED], self._filter[fir.CLIPPED]
        self.missed += missed - self._missed
        self.clipped += clipped - self._clipped
        self._missed, self._clipped = missed, clipped

    def _hold(self):
        self._is_filling = True
        late_us = _late_us(self._clock, ticks_us())  # now: the interrupt may have come in between
        if late_us > 0:
            passed = late_us // self._conversion_us
            _pass(self._clock, passed)
            self._leave_out(passed)
        if self._unread:
            self.written += feed(self._filter, 0, self._unread - 1, 0, self.ring)
            self._unread = 0
        self._is_filling = False

    # Time since the first conversion that the filter did not receive.
    def _waiting_us(self):
        return _late_us(self._clock, ticks_us()) + self._unread * self._conversion_us

    def age_us(self, index):
        # Read again if the interrupt came in between. The newest sample belongs to the middle of
        # the taps.
        clock, state = self._clock, self._filter
        while True:
            next_us = clock[_NEXT]
            written = self.written
            since = 1 + max(0, fir.BY - state[fir.LEFT]) + self._unread
            late_us = _late_us(clock, ticks_us())
            if next_us == clock[_NEXT]:
                break
        newest_us = late_us + since * self._conversion_us
        newest_us += fir.DELAY_HALVES * self._conversion_us // 2
        return newest_us + (written - 1 - index) * self.period_us
