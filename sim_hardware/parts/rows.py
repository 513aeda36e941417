# SPDX-License-Identifier: MIT
# Board, simulated: one row for each board: its chip, its front end, and the parts at its pins, as
# in firmware/boards. Costs and heap of a board are in shims/simcosts.py.


class Chip:
    def __init__(self, name, last, absent, inputs, adc, spi_ids, timer_ids, rtc=()):
        self.name = name
        self.last = last  # highest GPIO
        self.absent = absent  # GPIOs that its port of MicroPython refuses
        self.inputs = inputs  # that can only be read, and have no pulls
        self.adc = adc  # that have a converter
        self.spi_ids = spi_ids
        self.timer_ids = timer_ids
        self.rtc = rtc  # that can wake it: of the RTC domain


class Row:
    def __init__(
        self,
        chip,
        front_end,
        geophone,
        battery,
        pir,
        tamper,
        ready,
        raw_adc_pct,
        wake=None,
        analog=(),
    ):
        self.chip = chip
        self.front_end = front_end  # a name in parts/front_end.py
        self.geophone = geophone  # GPIO of the amplifier's output, or of a select line
        self.battery = battery  # GPIO of the divider
        self.pir = pir
        self.tamper = tamper
        self.ready = ready  # GPIO of the converter's DRDY line
        self.wake = wake  # GPIO of the comparator at the geophone
        self.analog = analog  # of further sensors: pairs of GPIO and file of parts/ with a Channel
        self.divider_x100 = 200  # two 100 kohm
        # What read_u16() gives of the voltage, in percent. Espressif's reference lies between 1.0
        # and 1.2 V from chip to chip; only read_uv() knows the calibration of this one.
        self.raw_adc_pct = raw_adc_pct


# Pins: ports/rp2/machine_pin.c and ports/esp32/machine_pin.h of 1.25.0. Converters:
# ports/rp2/machine_adc.c and ports/esp32/machine_adc.c. SPI: ports/*/machine_*spi.c. Timers:
# ports/rp2/machine_timer.c; SOC_TIMER_GROUP_TOTAL_TIMERS of each chip. RTC domain: data sheets of
# ESP32 (2.2) and ESP32-S3 (2.3).
_RP2040 = Chip("RP2040", 29, (), (), (26, 27, 28, 29), (0, 1), (-1,))
# The RP2350A of a Pico 2 W has the same GPIOs and converter inputs.
_RP2350 = Chip("RP2350", 29, (), (), (26, 27, 28, 29), (0, 1), (-1,))
_ESP32 = Chip(
    "ESP32",
    39,
    (6, 7, 8, 9, 10, 11, 20, 24, 28, 29, 30, 31),  # the flash; some do not exist
    (34, 35, 36, 37, 38, 39),
    (32, 33, 34, 35, 36, 37, 38, 39, 0, 2, 4, 12, 13, 14, 15, 25, 26, 27),
    (1, 2),
    (0, 1, 2, 3),
    (0, 2, 4, 12, 13, 14, 15, 25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39),
)

_ESP32_S3 = Chip(
    "ESP32-S3",
    48,
    (19, 20, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32),  # USB, flash and PSRAM; some do not exist
    (),
    (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20),
    (1, 2),
    (0, 1, 2, 3),
    tuple(range(22)),
)
_ESP32_C3 = Chip(
    "ESP32-C3", 21, (12, 13, 14, 15, 16, 17, 18, 19), (), (0, 1, 2, 3, 4, 5), (1,), (0, 1)
)

BOARDS = {
    "pico_w": Row(_RP2040, "rp2040_adc", 26, 28, 15, 14, None, 100),
    "pico2_w": Row(_RP2350, "rp2040_adc", 26, 28, 15, 14, None, 100),
    "esp32": Row(_ESP32, "ads1220", 5, 34, 27, 14, 33, 93, 26),
    "esp32_s3": Row(_ESP32_S3, "ads1220", 10, 4, 5, 6, 14, 93, 7),
    "esp32_c3": Row(_ESP32_C3, "ads1220", 10, 3, 1, 0, 4, 93),
}
