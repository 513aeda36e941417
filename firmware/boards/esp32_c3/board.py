# SPDX-License-Identifier: MIT
# board: ESP32-C3 with an SM-24 geophone on an ADS1220.

from micropython import const

from boards import espressif

# Excluded: the strapping pins (2, 8, 9), USB (18, 19), the serial line (20, 21) and the flash (11
# to 17). Pins 0 to 5 can wake the chip.
PINS = {
    "sck": 6,
    "mosi": 7,
    "miso": 5,
    "cs": 10,
    "ready": 4,
    "battery": 3,
    "pir": 1,
    "tamper": 0,
}
_SPI_ID = const(1)  # SPI2, the only one


def make_board(config):
    return espressif.make_board("esp32_c3", PINS, _SPI_ID, config)
