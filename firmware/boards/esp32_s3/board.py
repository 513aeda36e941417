# SPDX-License-Identifier: MIT
# board: ESP32-S3 with an SM-24 geophone on an ADS1220.

from micropython import const

from boards import espressif

# Excluded: the strapping pins (0, 3, 45, 46), USB (19, 20), the serial line (43, 44), flash and
# PSRAM (26 to 37). All of these can wake the chip: RTC domain, 0 to 21.
PINS = {
    "sck": 12,
    "mosi": 11,
    "miso": 13,
    "cs": 10,
    "ready": 14,
    "battery": 4,
    "pir": 5,
    "tamper": 6,
    "wake": 7,
}
_SPI_ID = const(1)  # SPI2; these are its native pins


def make_board(config):
    return espressif.make_board("esp32_s3", PINS, _SPI_ID, config)
