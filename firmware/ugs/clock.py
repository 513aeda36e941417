# SPDX-License-Identifier: MIT
# clock of the node: uptime that does not wrap, and wall time with a known error bound.

import time

from micropython import const

# An answer older than this is useless for the wall clock.
_RTT_MS_MAX = const(20_000)
# Three readings in whole milliseconds, one of the gateway and two of the node, are each truncated
# by up to one; so is half of the round trip.
_READING_MS = const(2)
# Crystals of the supported boards are within 30 ppm, and that of the gateway's computer drifts by
# at most 20 ppm: the bound grows by 1 ms per 20 s.
_MS_PER_DRIFT_MS = const(20_000)


class Clock:
    # ticks_ms wraps (2^30 ms = 12.4 days on the boards), so uptime_ms must be called at least once
    # in half that time; the sampling task calls it with each block.
    #   error_ms: bound of the newest reading; code that stops the crystal adds to it

    def __init__(self, ticks_ms=time.ticks_ms, ticks_diff=time.ticks_diff):
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._last_tick = ticks_ms()
        self._uptime_ms = 0
        # utc = uptime + offset; None until the gateway has sent the time.
        self._offset_ms = None
        self._set_at_ms = 0
        self.error_ms = 0

    def uptime_ms(self):
        tick = self._ticks_ms()
        step = self._ticks_diff(tick, self._last_tick)
        if step > 0:
            self._uptime_ms += step
            self._last_tick = tick
        return self._uptime_ms

    def at_tick(self, tick):
        # The uptime of a recent ticks_ms value, as stamped by an interrupt.
        now_ms = self.uptime_ms()
        return max(0, now_ms + self._ticks_diff(tick, self._last_tick))

    def set_wall(self, utc_ms, sent_ms, arrived_ms):
        # The gateway's answer to the message sent at uptime sent_ms arrived at arrived_ms. Half of
        # the round trip bounds the error, whichever direction took longer. Of answers that agree,
        # the one with the smallest bound now is kept (the least delay: RFC 5905 section 10). An
        # answer that contradicts it comes from a gateway whose clock was set. Returns whether the
        # answer was used.
        rtt_ms = arrived_ms - sent_ms
        if rtt_ms < 0 or rtt_ms > _RTT_MS_MAX:
            return False
        error_ms = rtt_ms // 2 + _READING_MS
        offset_ms = utc_ms + rtt_ms // 2 - arrived_ms
        if self._offset_ms is not None:
            bound_ms = self.quality_ms()
            agrees = abs(offset_ms - self._offset_ms) <= bound_ms + error_ms
            if agrees and error_ms > bound_ms:
                return False
        self._offset_ms = offset_ms
        self._set_at_ms = arrived_ms
        self.error_ms = error_ms
        return True

    def quality_ms(self):
        # Bound of the wall clock's error, None while it is not set.
        if self._offset_ms is None:
            return None
        return self.error_ms + (self.uptime_ms() - self._set_at_ms) // _MS_PER_DRIFT_MS

    def wall_ms(self):
        return None if self._offset_ms is None else self.utc_ms(self.uptime_ms())

    def utc_ms(self, uptime_ms):
        # The wall time of an uptime, once the clock is set.
        return uptime_ms + self._offset_ms
