# SPDX-License-Identifier: MIT
# A clock that only a test advances; wraps at 2^30 like the boards' ticks.

import utime

_PERIOD = 1 << 30
_us = _PERIOD - 2_000_000  # two seconds before the wrap of ticks_us
_ticks_us = _us
_ticks_ms = _us // 1000
slept_us = 0


def advance_us(step_us):
    global _us, _ticks_us, _ticks_ms
    _us += step_us
    _ticks_us = _us % _PERIOD
    _ticks_ms = _us // 1000 % _PERIOD


# From here on nothing allocates, as on the boards: interrupts call this.
def ticks_us():
    return _ticks_us


def ticks_ms():
    return _ticks_ms


if utime.ticks_add(0, -1) == _PERIOD - 1:  # a 32-bit build: its own period is the boards'
    ticks_add = utime.ticks_add
    ticks_diff = utime.ticks_diff
else:

    def ticks_add(ticks, delta):
        return (ticks + delta) % _PERIOD

    def ticks_diff(end, start):
        return (end - start + _PERIOD // 2) % _PERIOD - _PERIOD // 2


def sleep_us(us):
    global slept_us
    slept_us += us


def sleep_ms(ms):
    sleep_us(ms * 1000)
