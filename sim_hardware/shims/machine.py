# SPDX-License-Identifier: MIT
# Board, simulated: `machine` as MicroPython 1.25 has it on the rp2 and esp32 ports, as far as a
# node uses it. What a port lacks or refuses fails here too; tests/shims/test_stubs.py compares
# it with the type stubs of both ports.

import time

import simadc
import simcharge
import simclock
import simhardware
import simirq
import simpins


class _Registers:
    # mem32, of which only the converter's registers are there.
    def __getitem__(self, address):
        return simhardware.adc_block.peek(address)

    def __setitem__(self, address, value):
        simhardware.adc_block.poke(address, value)


mem32 = _Registers()
Pin = simpins.Pin
SPI = simpins.SPI
ADC = simadc.ADC

PWRON_RESET = 1
WDT_RESET = 3
if not simcharge.port("is_rp2"):
    HARD_RESET = 2
    DEEPSLEEP_RESET = 4
    SOFT_RESET = 5

_CAUSES = {"power_on": 1, "hard": 2, "watchdog": 3, "deepsleep": 4, "soft": 5}

_freq_hz = simcharge.port("clock_hz")


def reset():
    # On rp2 through the watchdog, and reported as such (ports/rp2/modmachine.c).
    cause = "watchdog" if simcharge.port("is_rp2") else "hard"
    simhardware.leave(simclock.EXIT_RESET, cause)


def soft_reset():
    simhardware.leave(simclock.EXIT_RESET, "soft")


def reset_cause():
    cause = _CAUSES[simhardware.reset_cause]
    if simcharge.port("is_rp2") and cause != WDT_RESET:
        return PWRON_RESET  # the port knows no third
    return cause


def unique_id():
    return simhardware.settings.seed.to_bytes(8, "big")


def freq(*hz):
    global _freq_hz
    if not hz:
        return _freq_hz
    if len(hz) > 1:
        raise TypeError("function expected at most 1 arguments, got %d" % len(hz))
    if simcharge.port("is_rp2"):
        is_allowed = hz[0] % 1_000_000 == 0 and 18_000_000 <= hz[0] <= 266_000_000
    else:
        is_allowed = hz[0] in (20_000_000, 40_000_000, 80_000_000, 160_000_000, 240_000_000)
    if not is_allowed:
        raise ValueError("cannot change frequency")
    _freq_hz = hz[0]


def idle():
    simclock.sleep_us(1000)


def lightsleep(*ms):
    # On esp32 as far as a pin that may wake it (simsleep); on rp2 no pin does (machine_pin.c).
    if len(ms) > 1:
        raise TypeError("function expected at most 1 arguments, got %d" % len(ms))
    duration_ms = ms[0] if ms else 0
    if simcharge.port("is_rp2"):
        simclock.sleep_us(duration_ms * 1000)
        return
    import simsleep

    WDT._hold()
    simsleep.light(duration_ms)
    WDT._go_on()


def disable_irq():
    # Callbacks run at waits only, so interrupts need not be disabled.
    return 1


def enable_irq(_state):
    pass


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    # `hard` came with rp2 1.26 and esp32 1.27: here it is an unknown keyword, as on 1.25. So the
    # interrupt schedules the callback.
    def __init__(self, *id, **settings):
        # On rp2 without an id: a timer of the alarm pool, the only kind it has.
        if not id and simcharge.port("is_rp2"):
            id = (-1,)
        if len(id) != 1:
            raise TypeError("Timer takes its id")
        if id[0] not in simhardware.wiring.chip.timer_ids:
            raise ValueError("Timer doesn't exist")
        self._event = None
        self._callback = None
        self._period_us = 0
        self._mode = Timer.PERIODIC
        self._line = simirq.Line(self._call, False, simcharge.port("timer_catches_up"))
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
        self._line.ask(deadline_us)
        return deadline_us + self._period_us if self._mode else None

    def _call(self, deadline_us):
        simcharge.timer_called(simclock.now() - deadline_us, self._period_us)
        if self._callback is not None:
            self._callback(self)

    def deinit(self):
        self._line.stop()
        if self._event is not None:
            simclock.cancel(self._event)
            self._event = None


class WDT:
    # One counter, which cannot be stopped: a second WDT sets the first one again.
    _timeout_us = 0
    _deadline_us = 0
    _fed_us = 0
    _event = None
    _held_us = 0

    def __init__(self, *, id=0, timeout=5000):
        if id != 0:
            raise ValueError("no watchdog %s" % id)
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        longest_ms = simcharge.port("watchdog_ms_max")
        if longest_ms is not None and timeout > longest_ms:
            raise ValueError("timeout exceeds %d" % longest_ms)
        is_running = WDT._timeout_us
        WDT._timeout_us = timeout * 1000
        if not is_running:
            WDT._fed_us = simclock.now()
        self.feed()
        if not is_running:
            WDT._event = simclock.at(WDT._deadline_us, WDT._fire)

    def feed(self):
        now_us = simclock.now()
        simcharge.unfed(now_us - WDT._fed_us)
        WDT._fed_us = now_us
        WDT._deadline_us = now_us + WDT._timeout_us

    @staticmethod
    def _fire(t_us):
        if WDT._deadline_us > t_us:
            return WDT._deadline_us
        simcharge.unfed(WDT._timeout_us)
        print("sim: watchdog not fed for %d ms: reset" % (WDT._timeout_us // 1000))
        simhardware.leave(simclock.EXIT_RESET, "watchdog")

    # Light sleep stops the timers of the chip, and the task watchdog with them.
    @staticmethod
    def _hold():
        WDT._held_us = simclock.now()
        if WDT._event is not None:
            simclock.cancel(WDT._event)

    @staticmethod
    def _go_on():
        slept_us = simclock.now() - WDT._held_us
        WDT._deadline_us += slept_us
        WDT._fed_us += slept_us
        if WDT._event is not None:
            WDT._event = simclock.at(WDT._deadline_us, WDT._fire)


class RTC:
    def __init__(self, id=0):
        if id != 0:
            raise ValueError("no clock %s" % id)

    def datetime(self, *moment):
        # (year, month, day, weekday, hours, minutes, seconds, subseconds)
        if not moment:
            t = time.gmtime()
            return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0)
        year, month, day, _, hour, minute, second, _ = moment[0]
        time.set_rtc(time.mktime((year, month, day, hour, minute, second, 0, 0)))
