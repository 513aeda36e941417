# SPDX-License-Identifier: MIT
# board: ESP32 with an SM-24 geophone on an ADS1220.

from micropython import const

from boards import espressif

PINS = {
    "sck": 18,
    "mosi": 23,
    "miso": 19,
    "cs": 5,
    "ready": 33,
    "battery": 34,
    "pir": 27,
    "tamper": 14,
    "wake": 26,
}
_SPI_ID = const(2)  # VSPI; these are its native pins


def make_board(config):
    # Most boards with this chip have their LED at this pin.
    return espressif.make_board("esp32", PINS, _SPI_ID, config, led=2)
