# SPDX-License-Identifier: MIT
# Adds the time that a boot takes on a Pico W to the simulator's clock, in which work takes none,
# and measures the longest time without feeding the watchdog. The image's guard.py imports it.
# Figures: MicroPython 1.25 in the emulator (docs/updates.md), unless stated otherwise.

import builtins
import os
import sys

import machine
import network
import simclock

_IMPORT_US_PER_BYTE = 28  # ugs.node: 57 KB of .mpy in 1.02 s, and 0.55 s to place its code
_READ_US = 77_000  # to read a file: a ledger of 1,280 detections in 21, 1.6 s
_WRITE_US = 2 * 98_000  # its block and the folder's are erased: at worst (tests/ledger)
_RADIO_US = 750_000  # WLAN.active(True) loads the radio's firmware

_paid_us = 0
_fed_us = None
_worst_us = 0
_paid = set()


def _pay(us):
    global _paid_us
    _paid_us += us


def _note():
    global _fed_us, _worst_us
    _pay_imports()
    now_us = simclock.now() + _paid_us
    if _fed_us is not None and now_us - _fed_us > _worst_us:
        _worst_us = now_us - _fed_us
        print("budget unfed_ms=%d" % (_worst_us // 1000))
    _fed_us = now_us


def _pay_imports():
    # Of all modules that have come since; one that is on its way has no file yet.
    for name in list(sys.modules):
        path = getattr(sys.modules[name], "__file__", None)
        if path is not None and name not in _paid:
            _paid.add(name)
            if path.startswith("/fw/"):
                _pay(_IMPORT_US_PER_BYTE * os.stat(path)[6])


def _open(path, mode="r", *args):
    if not path.endswith(".fw"):  # reading of a tree is part of an import
        _pay_imports()
        _pay(_READ_US if mode in ("r", "rb") else _WRITE_US)
    return _plain_open(path, mode, *args)


def _active(self, *args):
    if args == (True,):
        _pay(_RADIO_US)
    return _plain_active(self, *args)


def _feed(self):
    _note()
    _plain_feed(self)


_plain_open, builtins.open = builtins.open, _open
_plain_active, network.WLAN.active = network.WLAN.active, _active
_plain_feed, machine.WDT.feed = machine.WDT.feed, _feed
