# SPDX-License-Identifier: MIT
# board: ESP32 with an SM-24 geophone on an ADS1220, since the chip's own converter is too poor.

import machine
from micropython import const

from boards.base import Board, start_timer, watch_edges
from ugs.drivers.ads1220 import FULL_SCALE_COUNTS, Ads1220
from ugs.drivers.battery import Battery
from ugs.drivers.contact import Contact
from ugs.drivers.edges import EdgeQueue
from ugs.drivers.sampler import Sampler

FS_HZ = const(250)
PINS = {"sck": 18, "mosi": 23, "miso": 19, "cs": 5, "battery": 34, "pir": 27, "tamper": 14}
_SPI_ID = const(2)  # VSPI, whose native pins these are
_SPI_HZ = const(2_000_000)
_TIMER_ID = const(0)

# 2.048 V / 128 / 2^23 / 28.8 V/(m/s) = 0.0662 nm/s for one code, 64 codes make one count.
_NM_S_PER_COUNT_X256 = const(1_085)

_ADC_FULL_SCALE_MV = const(3_300)  # about, with 11 dB of attenuation
_BATTERY_RATIO_X100 = const(200)  # 100 kohm to the battery, 100 kohm to ground


class Esp32Board(Board):
    def __init__(self, converter, *parts):
        super().__init__(*parts)
        self._converter = converter

    def check(self):
        self._converter.check()


def make_board(config):
    spi = machine.SPI(
        _SPI_ID,
        baudrate=_SPI_HZ,
        polarity=0,
        phase=1,
        sck=machine.Pin(PINS["sck"]),
        mosi=machine.Pin(PINS["mosi"]),
        miso=machine.Pin(PINS["miso"]),
    )
    converter = Ads1220(spi, machine.Pin(PINS["cs"], machine.Pin.OUT, value=1))
    try:
        converter.start()
    except OSError as error:
        # A node without its converter comes up to tell of it; check() keeps trying.
        print("board faulty cause=%s" % error)
    timer = machine.Timer(_TIMER_ID)

    def start(freq_hz, callback):
        # Not hard: a transfer on this SPI waits for an interrupt of its own.
        return start_timer(timer, freq_hz, callback, hard=False)

    station = None
    if not config.is_wired:
        from boards.station import Station

        station = Station(config.country)
    pir = None
    if config.pir:
        pir_pin = machine.Pin(PINS["pir"], machine.Pin.IN, machine.Pin.PULL_DOWN)
        pir = EdgeQueue(pir_pin)
        watch_edges(pir_pin, pir.on_edge)
    battery = machine.ADC(machine.Pin(PINS["battery"]), atten=machine.ADC.ATTN_11DB)
    return Esp32Board(
        converter,
        "esp32",
        _NM_S_PER_COUNT_X256,
        Sampler(start, converter.read, FS_HZ, FULL_SCALE_COUNTS - 1),
        pir,
        Contact(machine.Pin(PINS["tamper"], machine.Pin.IN, machine.Pin.PULL_UP)),
        Battery(battery.read_u16, _ADC_FULL_SCALE_MV, _BATTERY_RATIO_X100),
        station,
    )
