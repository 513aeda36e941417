# SPDX-License-Identifier: MIT
# guard: reset and watchdog from before a tree is loaded, so that no tree can hang a node for good.
# Beside main.py, where no update reaches it, and in each image for the boards.

import machine
from micropython import const

# Below the 8388 ms that the RP2040's watchdog can count (datasheet section 4.7.3).
WATCHDOG_MS = const(8_000)
# Constants of machine.reset_cause() and the numbers they have in a hello (ugs.wire.schema). The rp2
# port has the first two only: a brown-out and its RUN pin read as power-on, each machine.reset() as
# watchdog. The esp32 port reads a brown-out as power-on or watchdog, by its version.
_CAUSES = (
    ("PWRON_RESET", 0),
    ("WDT_RESET", 2),
    ("HARD_RESET", 1),
    ("SOFT_RESET", 3),
    ("DEEPSLEEP_RESET", 4),
)
_UNKNOWN = const(5)


def start(is_wanted):
    # Starts the watchdog, which nothing can stop; returns what feeds it.
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
