# SPDX-License-Identifier: MIT
# guard: reset and watchdog, started before an image is loaded, so that no image can hang a node for
# good. It is stored beside main.py, which updates do not change, and in each image for the boards.

import machine
from micropython import const

# Below 8388 ms, the maximum of the RP2040's watchdog (datasheet section 4.7.3).
WATCHDOG_MS = const(8_000)
# Constants of machine.reset_cause() and their numbers in a hello (ugs.wire.schema). The rp2 port
# has only the first two: it reports a brown-out and the RUN pin as power-on, and each
# machine.reset() as watchdog. The esp32 port reports a brown-out as power-on or watchdog, depending
# on its version.
_CAUSES = (
    ("PWRON_RESET", 0),
    ("WDT_RESET", 2),
    ("HARD_RESET", 1),
    ("SOFT_RESET", 3),
    ("DEEPSLEEP_RESET", 4),
)
_UNKNOWN = const(5)


def start(is_wanted):
    # Starts the watchdog, which nothing can stop. Returns the function that feeds it.
    if not is_wanted:
        return lambda: None
    return machine.WDT(timeout=WATCHDOG_MS).feed


def reset_cause():
    cause = machine.reset_cause()
    for name, number in _CAUSES:
        if getattr(machine, name, None) == cause:
            return number
    return _UNKNOWN


def reset():
    machine.reset()
