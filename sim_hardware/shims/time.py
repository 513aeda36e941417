# SPDX-License-Identifier: MIT
# Board layer, simulated: `time` as the rp2 and esp32 ports have it, on the simulated clock.
#
# Ticks start near 0 at every boot and wrap at 2**30 as on the boards, on 64-bit hosts too.

import simclock
import utime

_MASK = 0x3FFFFFFF
_HALF = 0x20000000

_rtc_offset_us = 1_609_459_200_000_000  # the RTC of a Pico W without time starts at 2021-01-01


def ticks_ms():
    return (simclock.uptime_us() // 1000) & _MASK


def ticks_us():
    return simclock.uptime_us() & _MASK


ticks_cpu = ticks_us


if utime.ticks_add(0, -1) == _MASK:  # a 32-bit host: its own period is the boards' period
    ticks_diff = utime.ticks_diff
    ticks_add = utime.ticks_add
else:

    def ticks_diff(end, start):
        return ((end - start + _HALF) & _MASK) - _HALF

    def ticks_add(ticks, delta):
        if not -_HALF < delta < _HALF:
            raise OverflowError("ticks interval overflow")
        return (ticks + delta) & _MASK


def sleep(seconds):
    simclock.sleep_us(int(seconds * 1_000_000))


def sleep_ms(ms):
    simclock.sleep_us(ms * 1000)


def sleep_us(us):
    simclock.sleep_us(us)


def time_ns():
    return (simclock.uptime_us() + _rtc_offset_us) * 1000


def time():
    return (simclock.uptime_us() + _rtc_offset_us) // 1_000_000


def gmtime(seconds=None):
    return utime.gmtime(time() if seconds is None else seconds)


localtime = gmtime
mktime = utime.mktime


def set_rtc(epoch_s):
    # machine.RTC().datetime(...) ends here.
    global _rtc_offset_us
    _rtc_offset_us = epoch_s * 1_000_000 - simclock.uptime_us()
