# SPDX-License-Identifier: MIT
# Room "board", simulated: which part hangs on which pin of which board, as in firmware/boards.


class Wiring:
    def __init__(self, front_end, geophone, battery, pir, tamper, divider_x100):
        self.front_end = front_end  # "rp2040_adc" or "ads1220"
        self.geophone = geophone  # GPIO of the amplifier's output, or of the chip's select line
        self.battery = battery  # GPIO of the divider
        self.pir = pir
        self.tamper = tamper
        self.divider_x100 = divider_x100


BOARDS = {
    "pico_w": Wiring("rp2040_adc", 26, 28, 15, 14, 200),
    "esp32": Wiring("ads1220", 5, 34, 27, 14, 200),
}
