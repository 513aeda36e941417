# SPDX-License-Identifier: MIT
# board: what all Raspberry Pi boards share: an SM-24 geophone on an amplifier at the chip's own
# converter. Each board.py has the pins.

import machine
from micropython import const

from boards.base import Board, make_inputs, start_timer
from ugs.drivers.battery import Battery

FS_HZ = const(250)

_GEOPHONE_CHANNEL = const(0)
_BATTERY_CHANNEL = const(2)

# A sample is the sum of four 12-bit readings; the amplifier is biased at mid-rail. By DMA it has
# the same unit: four times their mean after the filter.
_MID_COUNTS = const(4 * 2048)
# Clipped: three of the four readings are at the rail (code 0 or 4095).
_CLIP_COUNTS = const(8_000)
# From the component values in sim_hardware/parts/front_end.py; tests/sensors checks them.
_NM_S_PER_COUNT_X256 = const(3_581)
# One code rms of the converter (RP2040 datasheet 4.9.3, 8.7 effective bits, less what the filter
# removes), four readings summed: 2 counts. The filter of ugs.dsp.decimate passes 0.24 of a
# reading's noise: 1 count.
_OWN_NOISE_X16 = const(32)
_OWN_NOISE_DMA_X16 = const(16)
_SHORT_COUNTS = const(233)
_CUT_COUNTS = const(1_488)

_BATTERY_UV = const(3_300_000)  # full scale of the converter
_BATTERY_RATIO_X100 = const(200)  # 100 kohm to the battery, 100 kohm to ground


def make_board(name, pins, config, is_rp2350=False):
    geophone = machine.ADC(machine.Pin(pins["geophone"])).read_u16
    battery = machine.ADC(machine.Pin(pins["battery"])).read_u16
    try:
        from boards import rp2_adc as adc
    except ImportError:  # without DMA: the simulator, whose readings need no filter
        sampler, read_uv, own_x16 = _by_timer(geophone, battery)
        looks = 8
    else:
        sampler, read_uv, own_x16 = _by_dma(adc, adc.RP2350 if is_rp2350 else adc.RP2040, battery)
        looks = 1
    station = None
    if not config.is_wired:
        from boards.station import Station

        station = Station(config.country)
    pir, tamper = make_inputs(pins["pir"] if config.pir else None, pins["tamper"])
    return Board(
        name,
        _NM_S_PER_COUNT_X256,
        (own_x16, _SHORT_COUNTS, _CUT_COUNTS),
        sampler,
        pir,
        tamper,
        Battery(read_uv, _BATTERY_RATIO_X100, looks),
        station,
    )


def _by_dma(adc, chip, battery):
    from ugs.drivers.dma_sampler import DmaSampler

    converter = adc.Converter(chip, _GEOPHONE_CHANNEL, _BATTERY_CHANNEL, battery)
    sampler = DmaSampler(converter, FS_HZ, _CLIP_COUNTS)
    return sampler, lambda: sampler.read_aside() * _BATTERY_UV // 4095, _OWN_NOISE_DMA_X16


def _by_timer(geophone, battery):
    from ugs.drivers.sampler import Sampler

    # Runs in the timer's interrupt: no allocation. 12 bits are read as 16, with the top bits
    # repeated.
    def read_counts():
        return (
            (geophone() >> 4) + (geophone() >> 4) + (geophone() >> 4) + (geophone() >> 4)
        ) - _MID_COUNTS

    timer = machine.Timer(-1)  # a virtual timer of the alarm pool

    def start(freq_hz, callback):
        return start_timer(timer, freq_hz, callback, hard=True)

    sampler = Sampler(start, read_counts, FS_HZ, _CLIP_COUNTS)
    return sampler, lambda: battery() * _BATTERY_UV // 65535, _OWN_NOISE_X16
