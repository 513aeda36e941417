# SPDX-License-Identifier: MIT
# board: Raspberry Pi Pico W.

from boards import raspberry_pi

PINS = {"geophone": 26, "battery": 28, "pir": 15, "tamper": 14}


def make_board(config):
    return raspberry_pi.make_board("pico_w", PINS, config)
