# SPDX-License-Identifier: MIT
# Board, simulated: `esp32` as its port has it (ports/esp32/modesp32.c), as far as a node uses it:
# which pins end a sleep.

import simcharge
import simsleep

if simcharge.port("is_rp2"):
    raise ImportError("no module named 'esp32'")

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True


if simsleep.rtc_gpios():  # the port has them where the chip has

    def wake_on_ext0(pin=None, level=False):
        # One pin at either level; None: no pin.
        simsleep.ext0 = None if pin is None else (_gpio(pin), bool(level))

    def wake_on_ext1(pins=None, level=False):
        # Several pins, any of them high or all of them low. None leaves those chosen before.
        if pins is not None:
            if type(pins) not in (list, tuple):
                raise TypeError("object of type '%s' has no len()" % type(pins).__name__)
            simsleep.ext1 = [_gpio(pin) for pin in pins]
        simsleep.ext1_level = bool(level)


def _gpio(pin):
    gpio = simsleep.gpio_of(pin)
    if gpio not in simsleep.rtc_gpios():
        raise ValueError("invalid pin")
    return gpio
