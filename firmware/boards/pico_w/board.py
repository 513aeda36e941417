# SPDX-License-Identifier: MIT
# board: Raspberry Pi Pico W with an SM-24 geophone on an amplifier at its own converter.

import machine
from micropython import const

from boards.base import Board, start_timer, watch_edges
from ugs.drivers.battery import Battery
from ugs.drivers.contact import Contact
from ugs.drivers.edges import EdgeQueue
from ugs.drivers.sampler import Sampler

FS_HZ = const(250)
PINS = {"geophone": 26, "battery": 28, "pir": 15, "tamper": 14}

# Four readings of 12 bits are summed for each sample, with the amplifier biased at mid-rail.
_MID_COUNTS = const(4 * 2048)
# Clipped: three of the four readings at the rail (codes 0 or 4095).
_CLIP_COUNTS = const(8_000)
# 3.3 V / 4096 / gain 500 / 28.8 V/(m/s) = 55.95 nm/s for one code, a quarter for one count.
_NM_S_PER_COUNT_X256 = const(3_581)

_ADC_FULL_SCALE_MV = const(3_300)
_BATTERY_RATIO_X100 = const(200)  # 100 kohm to the battery, 100 kohm to ground


def make_board(config):
    read_u16 = machine.ADC(machine.Pin(PINS["geophone"])).read_u16

    # In the timer's interrupt: no allocation. 12 bits come as 16, the top ones repeated.
    def read_counts():
        return (
            (read_u16() >> 4) + (read_u16() >> 4) + (read_u16() >> 4) + (read_u16() >> 4)
        ) - _MID_COUNTS

    timer = machine.Timer(-1)  # a virtual one, on the alarm pool

    def start(freq_hz, callback):
        return start_timer(timer, freq_hz, callback, hard=True)

    station = None
    if not config.is_wired:
        from boards.station import Station

        station = Station(config.country)
    pir = None
    if config.pir:
        pir_pin = machine.Pin(PINS["pir"], machine.Pin.IN, machine.Pin.PULL_DOWN)
        pir = EdgeQueue(pir_pin)
        watch_edges(pir_pin, pir.on_edge)
    return Board(
        "pico_w",
        _NM_S_PER_COUNT_X256,
        Sampler(start, read_counts, FS_HZ, _CLIP_COUNTS),
        pir,
        Contact(machine.Pin(PINS["tamper"], machine.Pin.IN, machine.Pin.PULL_UP)),
        Battery(
            machine.ADC(machine.Pin(PINS["battery"])).read_u16,
            _ADC_FULL_SCALE_MV,
            _BATTERY_RATIO_X100,
        ),
        station,
    )
