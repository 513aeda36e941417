# SPDX-License-Identifier: MIT
# guard: reset and watchdog from before a tree is loaded, so that no tree can hang a node for good.
# main.py takes it from the rescue tree, which no update touches.

import machine
from micropython import const

# Below the 8388 ms that the RP2040's watchdog can count (datasheet section 4.7.3).
WATCHDOG_MS = const(8_000)


def start(is_wanted):
    # Starts the watchdog, which nothing can stop; returns what feeds it.
    if not is_wanted:
        return lambda: None
    return machine.WDT(timeout=WATCHDOG_MS).feed


def reset():
    machine.reset()
