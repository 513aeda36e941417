# SPDX-License-Identifier: MIT
# Board, simulated: the supply. It fails at given times, or when the battery is below what the board
# needs; then the board is off until it is back.

import simcharge
import simclock
import utime

_LOOK_US = 1_000_000  # how often the battery is compared with what the board needs
_CUT_US = 1_000_000  # how long power is away after it failed while flash was written


def battery_mv(settings, t_us):
    # At rest, by the battery's curve.
    points = settings.battery_points
    if not points:
        return settings.battery_mv
    before_us, before_mv = points[0]
    for after_us, after_mv in points:
        if t_us < after_us:
            if after_us > before_us:
                rise = (after_mv - before_mv) * (t_us - before_us) // (after_us - before_us)
                return before_mv + rise
            return before_mv
        before_us, before_mv = after_us, after_mv
    return before_mv


def back_us(settings, t_us):
    # When there is power: t_us itself, or later.
    while True:
        off = [end for begin, end in settings.faults_us["power_off"] if begin <= t_us < end]
        if off:
            t_us = max(off)
        elif battery_mv(settings, t_us) >= simcharge.port("brownout_mv"):
            return t_us
        elif not settings.battery_points or t_us >= settings.battery_points[-1][0]:
            return None  # power never returns
        else:
            t_us += _LOOK_US


def watch(settings, leave):
    # Ends the process when power fails; leave(code, cause, t_us) has the time at which it is back.
    def fail(t_us):
        leave_until(t_us, "power off")

    def look(t_us):
        if battery_mv(settings, t_us) < simcharge.port("brownout_mv"):
            leave_until(t_us, "brown-out")
        return t_us + _LOOK_US

    def leave_until(t_us, why):
        print("sim: %s" % why)
        until_us = back_us(settings, t_us)
        if until_us is None:
            leave(simclock.EXIT_END, "end")
        leave(simclock.EXIT_RESET, "power_on", until_us)

    def in_flash():
        if cuts and simclock.now() >= cuts[0]:
            print("sim: power off while flash is written")
            leave(simclock.EXIT_RESET, "power_on", back_us(settings, simclock.now() + _CUT_US))

    cuts = [t_us for t_us in settings.flash_cuts_us if t_us >= simclock.boot_us]
    if cuts:
        simcharge.in_flash = in_flash
    for begin_us, _ in settings.faults_us["power_off"]:
        if begin_us >= simclock.boot_us:
            simclock.at(begin_us, fail)
    if settings.battery_points:
        simclock.at(simclock.now(), look)


def wait_real(settings):
    # In real time: blocks until there is power.
    until_us = back_us(settings, simclock.now())
    while until_us is not None and simclock.now() < until_us:
        utime.sleep_us(min(100_000, until_us - simclock.now()))
    return until_us is not None
