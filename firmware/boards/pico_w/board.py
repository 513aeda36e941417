# SPDX-License-Identifier: MIT
# board: Raspberry Pi Pico W with an SM-24 geophone on an amplifier at its own converter.

import machine
from micropython import const

from boards.base import Board, make_inputs, start_timer
from ugs.drivers.battery import Battery
from ugs.drivers.sampler import Sampler

FS_HZ = const(250)
PINS = {"geophone": 26, "battery": 28, "pir": 15, "tamper": 14}

# Four readings of 12 bits are summed for each sample, with the amplifier biased at mid-rail.
_MID_COUNTS = const(4 * 2048)
# Clipped: three of the four readings at the rail (codes 0 or 4095).
_CLIP_COUNTS = const(8_000)
# Of the components in sim_hardware/parts/front_end.py; tests/sensors holds these to them.
_NM_S_PER_COUNT_X256 = const(3_581)
# One code rms of the converter (RP2040 datasheet 4.9.3, 8.7 effective bits, less what the filter
# takes), four readings summed: 2 counts.
_OWN_NOISE_X16 = const(32)
_SHORT_COUNTS = const(233)
_CUT_COUNTS = const(1_488)

_BATTERY_UV = const(3_300_000)  # full scale of the converter
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
    read_battery = machine.ADC(machine.Pin(PINS["battery"])).read_u16
    pir, tamper = make_inputs(PINS["pir"] if config.pir else None, PINS["tamper"])
    return Board(
        "pico_w",
        _NM_S_PER_COUNT_X256,
        (_OWN_NOISE_X16, _SHORT_COUNTS, _CUT_COUNTS),
        Sampler(start, read_counts, FS_HZ, _CLIP_COUNTS),
        pir,
        tamper,
        Battery(lambda: read_battery() * _BATTERY_UV // 65535, _BATTERY_RATIO_X100),
        station,
    )
