# SPDX-License-Identifier: MIT
# Room "board", simulated: `machine` as MicroPython 1.25 has it on the rp2 and esp32 ports, as
# far as a node uses it. What is missing here fails as it would on a board: AttributeError.

import time

import simclock
import simhardware
from parts.ads1220 import Spi

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_CAUSES = {
    "power_on": PWRON_RESET,
    "hard": HARD_RESET,
    "watchdog": WDT_RESET,
    "soft": SOFT_RESET,
    "deepsleep": DEEPSLEEP_RESET,
}

_freq_hz = 125_000_000


def reset():
    simhardware.leave(
        simclock.EXIT_RESET, "watchdog" if simhardware.wiring.reset_is_watchdog else "hard"
    )


def soft_reset():
    simhardware.leave(simclock.EXIT_RESET, "soft")


def reset_cause():
    return _CAUSES[simhardware.reset_cause]


def unique_id():
    return simhardware.settings.seed.to_bytes(8, "big")


def freq(hz=None):
    global _freq_hz
    if hz is None:
        return _freq_hz
    _freq_hz = hz


def idle():
    simclock.sleep_us(1000)


def lightsleep(ms):
    simclock.sleep_us(ms * 1000)


def disable_irq():
    # Callbacks run at waits only, never in the middle of code, so there is nothing to hold off.
    return 1


def enable_irq(_state):
    pass


class Pin:
    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    PULL_UP = 1
    PULL_DOWN = 2
    IRQ_FALLING = 4
    IRQ_RISING = 8

    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        self._id = id
        self._part = simhardware.input_part(id)
        # The select line of the front end and its part, where there is one.
        chip = simhardware.ads1220
        self._chip = chip if chip is not None and id == simhardware.wiring.geophone else None
        self._level = 1 if pull == Pin.PULL_UP else 0
        self._handler = None
        self._trigger = 0
        if value is not None:
            self(value)

    def init(self, mode=-1, pull=-1, *, value=None):
        if value is not None:
            self(value)

    def __call__(self, level=None):
        if level is not None:
            self._level = 1 if level else 0
            if self._chip is not None:
                self._chip.select(self._level)
            return None
        return self._level if self._part is None else self._part.level()

    value = __call__

    def on(self):
        self(1)

    high = on

    def off(self):
        self(0)

    low = off

    def toggle(self):
        self(not self._level)

    def irq(self, handler=None, trigger=IRQ_FALLING | IRQ_RISING, hard=False):
        self._handler = handler
        self._trigger = trigger
        if self._part is not None:
            self._part.watch(None if handler is None else self._on_edge)
        return self

    def _on_edge(self, level):
        if self._trigger & (Pin.IRQ_RISING if level else Pin.IRQ_FALLING):
            self._handler(self)


class ADC:
    CORE_TEMP = 4
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3

    def __init__(self, pin, *, atten=None):
        gpio = pin._id if isinstance(pin, Pin) else pin
        self._code = simhardware.adc_channel(gpio).code

    def read_u16(self):
        # Twelve bits spread over sixteen as the rp2 and esp32 ports do: the top bits repeat.
        code = self._code() * simhardware.wiring.raw_adc_pct // 100
        return code << 4 | code >> 8

    def read_uv(self):
        return self._code() * 3_300_000 // 4095

    def atten(self, _db):
        pass


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    # `hard` came with rp2 1.26 and esp32 1.27: here it is an unknown keyword, as on 1.25.
    def __init__(self, id=-1, **settings):
        self._event = None
        self._callback = None
        self._period_us = 0
        self._mode = Timer.PERIODIC
        if settings:
            self.init(**settings)

    def init(self, *, mode=PERIODIC, freq=-1, period=-1, callback=None):
        self.deinit()
        if freq != -1:
            self._period_us = int(1_000_000 / freq)
        elif period > 0:
            self._period_us = period * 1000
        else:
            raise ValueError("Timer needs freq or period")
        if self._period_us <= 0:
            raise ValueError("Timer period too short")
        self._mode = mode
        self._callback = callback
        self._event = simclock.at(simclock.now() + self._period_us, self._fire)

    def _fire(self, deadline_us):
        if self._callback is not None:
            self._callback(self)
        return deadline_us + self._period_us if self._mode else None

    def deinit(self):
        if self._event is not None:
            simclock.cancel(self._event)
            self._event = None


class SPI:
    MSB = 0
    LSB = 1

    def __new__(cls, _id=0, baudrate=1_000_000, **_pins):
        if simhardware.ads1220 is None:
            raise OSError(19)  # ENODEV: no part hangs on this board's bus
        return Spi(simhardware.ads1220)


class WDT:
    # One counter, which nothing stops once it runs: a second WDT sets the first one anew.
    _timeout_us = 0
    _deadline_us = 0

    def __init__(self, id=0, timeout=5000):
        if simhardware.wiring.reset_is_watchdog and timeout > 8388:
            raise ValueError("timeout exceeds 8388")  # the RP2040's 24-bit counter
        is_running = WDT._timeout_us
        WDT._timeout_us = timeout * 1000
        self.feed()
        if not is_running:
            simclock.at(WDT._deadline_us, WDT._fire)

    def feed(self):
        WDT._deadline_us = simclock.now() + WDT._timeout_us

    @staticmethod
    def _fire(t_us):
        if WDT._deadline_us > t_us:
            return WDT._deadline_us
        print("sim: watchdog not fed for %d ms: reset" % (WDT._timeout_us // 1000))
        simhardware.leave(simclock.EXIT_RESET, "watchdog")


class RTC:
    def __init__(self, _id=0):
        pass

    def datetime(self, moment=None):
        # (year, month, day, weekday, hours, minutes, seconds, subseconds)
        if moment is None:
            t = time.gmtime()
            return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0)
        year, month, day, _, hour, minute, second, _ = moment
        time.set_rtc(time.mktime((year, month, day, hour, minute, second, 0, 0)))
