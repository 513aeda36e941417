# SPDX-License-Identifier: MIT
# board: what all boards share. Each board.py adds its pins and its front end.

import machine

from boards import guard
from ugs.drivers.contact import Contact
from ugs.drivers.edges import EdgeQueue


def start_timer(timer, freq_hz, callback, hard):
    # A hard timer interrupts even a garbage collection, and its callback must not block. Ports
    # before 1.26 (rp2) and 1.27 (esp32) do not accept `hard` and schedule every callback. The
    # sampler accounts for the delay of a scheduled callback.
    mode = machine.Timer.PERIODIC
    try:
        timer.init(freq=freq_hz, mode=mode, callback=callback, hard=hard)
    except (TypeError, ValueError):
        timer.init(freq=freq_hz, mode=mode, callback=callback)
    return timer


def watch_edges(pin, handler):
    trigger = machine.Pin.IRQ_RISING | machine.Pin.IRQ_FALLING
    try:
        pin.irq(handler=handler, trigger=trigger, hard=True)
    except (TypeError, ValueError):
        pin.irq(handler=handler, trigger=trigger)


def make_inputs(pir_gpio, tamper_gpio):
    # The PIR's edge queue (None without a PIR pin) and the tamper contact.
    pir = None
    if pir_gpio is not None:
        pin = machine.Pin(pir_gpio, machine.Pin.IN, machine.Pin.PULL_DOWN)
        pir = EdgeQueue(pin)
        watch_edges(pin, pir.on_edge)
    pin = machine.Pin(tamper_gpio, machine.Pin.IN, machine.Pin.PULL_UP)
    tamper = Contact(pin)
    watch_edges(pin, tamper.on_edge)
    return pir, tamper


class Board:
    # What a node uses of its board:
    #   name                      as in node.json
    #   sampler, pir, tamper      drivers, pir may be None; battery_mv() in millivolts
    #   nm_s_per_count_x256       ground velocity of one sampler count, times 256
    #   input_levels              own noise in counts rms times 16, and the offsets in counts below
    #                             which the geophone is shorted, above which it is cut
    #   wlan or line              the Wi-Fi station; or the serial line of a wired node
    #   start_watchdog()          returns the watchdog to feed; cannot be undone
    #   check()                   once a second: checks the front end. True if it had to be set up
    #                             again; raises OSError if it does not answer
    #                             set up again, raises OSError when it does not answer
    #   coil_answers()            whether a test current finds the geophone; False if not supported
    #   sleeper                   sleeps until one of its pins wakes the board; None if no pin can
    #   make_console()            the USB cable as a line, for a node without a wired link
    #   make_led()                the pin of its LED, on at 1; raises OSError if there is none

    sleeper = None
    led = "LED"  # by name: on the Pico W the radio chip drives it; None without one

    def __init__(
        self, name, nm_s_per_count_x256, input_levels, sampler, pir, tamper, battery, wlan
    ):
        self.name = name
        self.nm_s_per_count_x256 = nm_s_per_count_x256
        self.input_levels = input_levels
        self.sampler = sampler
        self.pir = pir
        self.tamper = tamper
        self.battery_mv = battery.read_mv
        self.wlan = wlan
        self.line = None
        if wlan is None:
            self.line = self.make_console()
        else:
            # Before sampling starts: loading the firmware of the Pico W's radio takes 0.75 s,
            # during which no scheduled timer runs.
            wlan.power_up()

    def start_watchdog(self):
        return machine.WDT(timeout=guard.WATCHDOG_MS)

    def check(self):
        return False

    def coil_answers(self):
        return False

    def make_console(self):
        from boards.console import Console

        return Console()

    def make_led(self):
        if self.led is None:
            raise OSError(19)  # ENODEV
        return machine.Pin(self.led, machine.Pin.OUT)

    def reset(self):
        guard.reset()
