# SPDX-License-Identifier: MIT
# driver of the ADS1220 24-bit converter on SPI (TI SBAS501C; sections below are of that sheet).

from time import sleep_ms, sleep_us

from micropython import const

# Commands, section 8.5.3.
_CMD_RESET = const(0x06)
_CMD_START = const(0x08)
_CMD_POWERDOWN = const(0x02)
_CMD_RDATA = const(0x10)
_CMD_RREG = const(0x20)
_CMD_WREG = const(0x40)

# Registers, section 8.6.1: differential AIN0-AIN1 with gain 128; turbo mode 2000 SPS is not
# needed, normal mode 1000 SPS, continuous; internal 2.048 V reference; DRDY on its own pin.
_CONFIG = (0x0E, 0xC4, 0x00, 0x00)
_MUX_SHORTED = const(0xEE)  # inputs shorted inside, the same gain
_BURN_OUT = const(0xC5)  # register 1 with the burn-out currents of 10 uA on, section 8.3.10

# 64 steps of 16 mV / 2^23 are one count of 122 nV.
_SHIFT = const(6)
FULL_SCALE_COUNTS = const(1 << 17)

# The coil oscillates after a step of current. It is at rest again after two periods of its 10 Hz
# with damping 0.6: exp(-0.6 * 2 pi 10 * 0.2) is 5e-4.
_REST_MS = const(200)
_OHM_READINGS = const(16)
_NOISE_READINGS = const(64)
_CODES_PER_OHM = const(5_243)  # 10 uA over 16 mV / 2^23


class Ads1220:
    # `spi` is set to mode 1 and at most 4 MHz; `cs(level)` drives the select line. `resets` counts
    # how often the converter was set up again because it had lost its registers.

    def __init__(self, spi, cs):
        self._spi = spi
        self._cs = cs
        self._command = bytes((_CMD_RDATA, 0, 0, 0))
        self._answer = bytearray(4)
        # A conversion may be ready while a task uses the SPI; it is then not read.
        self._busy = False
        self.resets = 0

    def start(self):
        # Raises OSError if the converter does not answer with the registers written.
        self._cs(1)
        self._transfer(bytes((_CMD_RESET,)))
        sleep_us(100)  # 50 us + 32 clocks of 4.096 MHz, section 8.5.3
        self._transfer(bytes((_CMD_WREG | (len(_CONFIG) - 1),) + _CONFIG))
        if not self.is_configured():
            raise OSError("ADS1220 does not answer; check its wiring and supply")
        self._transfer(bytes((_CMD_START,)))
        sleep_ms(3)  # the first conversion takes 1.2 ms, section 8.3.11

    def power_down(self):
        # The registers are kept; the analog part draws 0.1 uA (section 7.5). Until power_up().
        self._transfer(bytes((_CMD_POWERDOWN,)))

    def power_up(self):
        self._transfer(bytes((_CMD_START,)))

    def is_configured(self):
        command = bytes((_CMD_RREG | (len(_CONFIG) - 1),)) + bytes(len(_CONFIG))
        return tuple(self._transfer(command)[1:]) == _CONFIG

    def check(self):
        # A brown-out of the sensor supply clears the registers without notice: check them, and set
        # up again if needed. True if that was needed; raises OSError if it fails.
        if self.is_configured():
            return False
        self.resets += 1
        self.start()
        return True

    def own_noise_x16(self):
        # Noise of the converter itself in one count, rms in counts times 16; takes 0.1 s.
        self._transfer(bytes((_CMD_WREG, _MUX_SHORTED)))
        codes = self._codes(_NOISE_READINGS)
        self._transfer(bytes((_CMD_WREG, _CONFIG[0])))
        sleep_ms(3)
        mean = sum(codes) // _NOISE_READINGS
        # Gaussian: the rms is 5/4 of the mean absolute deviation.
        off = sum(abs(code - mean) for code in codes) // _NOISE_READINGS
        return (off * 20) >> _SHIFT

    def loop_ohm(self):
        # Resistance between the pins, filter included, by the burn-out currents; takes 0.5 s,
        # during which no conversion is read: the step must not look like ground motion.
        self._busy = True
        try:
            before = sum(self._codes(_OHM_READINGS))
            self._write(bytes((_CMD_WREG | 1 << 2, _BURN_OUT)))
            sleep_ms(_REST_MS)
            after = sum(self._codes(_OHM_READINGS))
            self._write(bytes((_CMD_WREG | 1 << 2, _CONFIG[1])))
            sleep_ms(_REST_MS)
        finally:
            self._busy = False
        return (after - before) // _OHM_READINGS // _CODES_PER_OHM

    def _codes(self, count):
        sleep_ms(3)  # a register write restarts the conversion
        codes = []
        for _ in range(count):
            sleep_ms(1)
            codes.append(self._code())
        return codes

    def _transfer(self, command):
        self._busy = True
        answer = self._write(command)
        self._busy = False
        return answer

    def _write(self, command):
        answer = bytearray(len(command))
        self._cs(0)
        self._spi.write_readinto(command, answer)
        self._cs(1)
        return answer

    # Called in the interrupt when a conversion is ready. None: the SPI is in use.
    def read(self):
        if self._busy:
            return None
        return self._code() >> _SHIFT

    # RDATA may be sent at any time: the conversion is latched when the command is decoded, 8.5.3.
    def _code(self):
        answer = self._answer
        self._cs(0)
        self._spi.write_readinto(self._command, answer)
        self._cs(1)
        code = answer[1] << 16 | answer[2] << 8 | answer[3]
        return code - 0x1000000 if code & 0x800000 else code
