# SPDX-License-Identifier: MIT
# Board, simulated: machine.ADC, each as its port has it: ports/rp2/machine_adc.c, which can read
# and nothing else; ports/esp32/machine_adc.c.

import simcharge
import simhardware
from simpins import Pin

_PINS = simhardware.wiring.chip.adc
_RP2_CHANNELS = 5  # channel 4 is the temperature


class _Adc:
    def read_u16(self):
        # Twelve bits spread over sixteen as the rp2 and esp32 ports do: the top bits repeat.
        code = self._code() * simhardware.wiring.raw_adc_pct // 100
        return code << 4 | code >> 8


class Rp2Adc(_Adc):
    CORE_TEMP = 4

    def __init__(self, id):
        gpio = id._id if isinstance(id, Pin) else id
        if type(gpio) is int and 0 <= gpio < _RP2_CHANNELS:
            gpio = _PINS[gpio] if gpio < 4 else -1
        elif gpio not in _PINS:
            raise ValueError("Pin doesn't have ADC capabilities")
        self._code = simhardware.adc_channel(gpio).code


class Esp32Adc(_Adc):
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3

    def __init__(self, id, *, atten=ATTN_0DB):
        gpio = id._id if isinstance(id, Pin) else id
        if gpio not in _PINS:
            raise ValueError("invalid pin")
        self._channel = simhardware.adc_channel(gpio)
        self._full_uv = 0
        self.atten(atten)

    def init(self, *, atten):
        self.atten(atten)

    def atten(self, atten):
        # Full scale in microvolts (ESP32 datasheet, ADC characteristics: 0.95, 1.25, 1.75, 2.45 V
        # is what is accurate; the code at the top means about 1.1, 1.5, 2.2 and 3.3 V).
        if atten not in (0, 1, 2, 3):
            raise ValueError("invalid attenuation")
        self._full_uv = (1_100_000, 1_500_000, 2_200_000, 3_300_000)[atten]

    def _code(self):
        # Parts give a code of 3.3 V in 12 bits.
        return min(4095, self._channel.code() * 3_300 // (self._full_uv // 1000))

    def read_uv(self):
        # In steps of 100 uV, so that the product is a small integer on a 32-bit build.
        return self._code() * (self._full_uv // 100) // 4095 * 100


ADC = Rp2Adc if simcharge.port("is_rp2") else Esp32Adc
