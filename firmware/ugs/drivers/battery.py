# SPDX-License-Identifier: MIT
# driver of the battery gauge: a divider on an ADC channel, averaged.

from micropython import const

_READINGS = const(8)


class Battery:
    # read_u16() gives 0..65535 for 0..full_scale_mv at the pin; the divider is `ratio_x100` / 100.

    def __init__(self, read_u16, full_scale_mv, ratio_x100):
        self._read_u16 = read_u16
        self._full_scale_mv = full_scale_mv
        self._ratio_x100 = ratio_x100

    def read_mv(self):
        total = 0
        for _ in range(_READINGS):
            total += self._read_u16()
        pin_mv = (total // _READINGS) * self._full_scale_mv // 65535
        return pin_mv * self._ratio_x100 // 100
