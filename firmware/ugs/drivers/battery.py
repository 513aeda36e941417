# SPDX-License-Identifier: MIT
# driver of the battery gauge: a divider on an ADC channel, averaged.


class Battery:
    # read_uv() returns microvolts at the pin; the divider is `ratio_x100` / 100.

    def __init__(self, read_uv, ratio_x100, readings=8):
        self._read_uv = read_uv
        self._ratio_x100 = ratio_x100
        self._readings = readings

    def read_mv(self):
        total_mv = 0
        for _ in range(self._readings):
            total_mv += self._read_uv() // 1000
        return total_mv * self._ratio_x100 // (100 * self._readings)
