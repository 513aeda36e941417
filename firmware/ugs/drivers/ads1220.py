# SPDX-License-Identifier: MIT
# driver of the ADS1220 24-bit converter on SPI (TI SBAS501C; sections below are of that sheet).

from time import sleep_ms, sleep_us

from micropython import const

# Commands, section 8.5.3.
_CMD_RESET = const(0x06)
_CMD_START = const(0x08)
_CMD_RDATA = const(0x10)
_CMD_RREG = const(0x20)
_CMD_WREG = const(0x40)

# Registers, section 8.6.1: differential AIN0-AIN1 with gain 128; turbo mode 2000 SPS is not
# needed, normal mode 1000 SPS, continuous; internal 2.048 V reference; DRDY on its own pin.
_CONFIG = (0x0E, 0xC4, 0x00, 0x00)

# 64 steps of 16 mV / 2^23 make one count of 122 nV.
_SHIFT = const(6)
FULL_SCALE_COUNTS = const(1 << 17)


class Ads1220:
    # `spi` is set to mode 1 and at most 4 MHz, `cs(level)` drives the select line.
    # `resets` counts how often the part had to be set up anew because it had lost its registers.

    def __init__(self, spi, cs):
        self._spi = spi
        self._cs = cs
        self._command = bytes((_CMD_RDATA, 0, 0, 0))
        self._answer = bytearray(4)
        self._count = 0
        # The sampling timer may strike while a task talks to the part; it then repeats a count.
        self._busy = False
        self.resets = 0

    def start(self):
        # Raises OSError when the part does not answer with the registers written.
        self._cs(1)
        self._transfer(bytes((_CMD_RESET,)))
        sleep_us(100)  # 50 us + 32 clocks of 4.096 MHz, section 8.5.3
        self._transfer(bytes((_CMD_WREG | (len(_CONFIG) - 1),) + _CONFIG))
        if not self.is_configured():
            raise OSError("ADS1220 does not answer; check its wiring and supply")
        self._transfer(bytes((_CMD_START,)))
        sleep_ms(3)  # the first conversion takes 1.2 ms, section 8.3.11

    def is_configured(self):
        command = bytes((_CMD_RREG | (len(_CONFIG) - 1),)) + bytes(len(_CONFIG))
        return tuple(self._transfer(command)[1:]) == _CONFIG

    def check(self):
        # A brown-out of the sensor supply clears the registers in silence: look and set up anew.
        if not self.is_configured():
            self.resets += 1
            self.start()

    def _transfer(self, command):
        answer = bytearray(len(command))
        self._busy = True
        self._cs(0)
        self._spi.write_readinto(command, answer)
        self._cs(1)
        self._busy = False
        return answer

    # Called by the sampling timer. RDATA may come at any time: the conversion is latched when the
    # command is decoded, section 8.5.3.
    def read(self):
        if self._busy:
            return self._count
        answer = self._answer
        self._cs(0)
        self._spi.write_readinto(self._command, answer)
        self._cs(1)
        count = answer[1] << 16 | answer[2] << 8 | answer[3]
        if count & 0x800000:
            count -= 0x1000000
        self._count = count >> _SHIFT
        return self._count
