# SPDX-License-Identifier: MIT
# Room "board", simulated: which part hangs on which pin of which board, as in firmware/boards.


class Wiring:
    def __init__(self, front_end, geophone, battery, pir, tamper, divider_x100, ready, raw):
        self.front_end = front_end  # "rp2040_adc" or "ads1220"
        self.geophone = geophone  # GPIO of the amplifier's output, or of the chip's select line
        self.battery = battery  # GPIO of the divider
        self.pir = pir
        self.tamper = tamper
        self.divider_x100 = divider_x100
        self.ready = ready  # GPIO of the chip's DRDY line
        # What read_u16() gives of the voltage, in percent. The ESP32's reference lies between 1.0
        # and 1.2 V from chip to chip; only read_uv() knows the calibration of this one.
        self.raw_adc_pct = raw


BOARDS = {
    "pico_w": Wiring("rp2040_adc", 26, 28, 15, 14, 200, None, 100),
    "esp32": Wiring("ads1220", 5, 34, 27, 14, 200, 33, 93),
}
