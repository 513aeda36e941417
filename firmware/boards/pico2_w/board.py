# SPDX-License-Identifier: MIT
# board: Raspberry Pi Pico 2 W.

from boards import raspberry_pi

PINS = {"geophone": 26, "battery": 28, "pir": 15, "tamper": 14}


def make_board(config):
    return raspberry_pi.make_board("pico2_w", PINS, config, is_rp2350=True)
