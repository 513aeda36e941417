# SPDX-License-Identifier: MIT
# Board, simulated: light sleep of Espressif's chips (ports/esp32/modmachine.c). Memory and the
# clock continue, tasks and interrupts stop; a level at a pin, or the time, ends it.

import simcharge
import simclock
import simhardware
import simpins

_LOOK_US = 1_000_000
_LOOK_REAL_US = 100_000  # the ground is written only so far ahead

ext0 = None  # (gpio, level)
ext1 = []
ext1_level = False


def rtc_gpios():
    return simhardware.wiring.chip.rtc


def gpio_of(pin):
    if not isinstance(pin, simpins.Pin):
        raise ValueError("expecting a pin")
    return pin._id


def light(ms):
    # 0: until a pin ends it.
    now_us = start_us = simclock.now()
    until_us = start_us + ms * 1000 if ms else None
    simpins.is_asleep = True
    while until_us is None or now_us < until_us:
        next_us = now_us + (_LOOK_US if simclock.virtual else _LOOK_REAL_US)
        if until_us is not None:
            next_us = min(next_us, until_us)
        if not simclock.virtual:
            simclock.sleep_us(next_us - now_us)
        end_us = _first_us(now_us, next_us)
        if simclock.virtual:
            simclock.sleep_us((next_us if end_us is None else end_us) - now_us)
        if end_us is not None:
            break
        now_us = next_us
    if simclock.now() > start_us:  # a wake-up that is due already: the chip refuses to sleep
        simclock.sleep_us(simcharge.cost_us("wake_us"))
    simpins.is_asleep = False
    # What the RTC had armed stays its own until it is taken back.
    for gpio in ext1:
        simpins.rtc_pads.add(gpio)
    if ext0 is not None:
        simpins.rtc_pads.add(ext0[0])


def _first_us(start_us, until_us):
    # When the first of the armed pins wakes it, or None.
    found = None
    wanted = [(gpio, ext1_level) for gpio in ext1]
    if ext1 and not ext1_level:
        wanted = [(ext1[0], False)]  # "all low" is used by no node: the first stands for all
    if ext0 is not None:
        wanted.append(ext0)
    for gpio, level in wanted:
        part = simhardware.input_part(gpio)
        if part is None:
            continue
        t_us = part.when(1 if level else 0, start_us, until_us if found is None else found)
        if t_us is not None:
            found = t_us
    return found
