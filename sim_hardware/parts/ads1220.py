# SPDX-License-Identifier: MIT
# Board layer, simulated: the ADS1220 24-bit converter at the level of its SPI bytes and registers
# (TI SBAS501C; sections below are of that sheet), with the geophone between AIN0 and AIN1.
#
# Its allocations are on the node's heap, a thousand times a second, and would cause collections. So
# a conversion uses small integers only, and bytes are not sliced.

from math import exp, pi, sin

import simclock
from parts import noise
from parts.front_end import FRONT_ENDS

# 8.5.3 commands
_RESET = 0x06
_START = 0x08
_POWERDOWN = 0x02
_RDATA = 0x10
_RREG = 0x20
_WREG = 0x40

# 8.3.4 and table 18: samples per second by DR, and by MODE (normal, duty-cycle, turbo)
_SPS_NORMAL = (20, 45, 90, 175, 330, 600, 1000, 1000)
_SPS_DUTY = (5, 11.25, 22.5, 44, 82.5, 150, 250, 250)
_SPS_TURBO = (40, 90, 180, 350, 660, 1200, 2000, 2000)

_VREF_UV = 2_048_000  # internal reference
_SUPPLY_UV = 3_300_000  # VREF = AVDD
_FRONT = FRONT_ENDS["ads1220"]
_GEOPHONE_NV = _FRONT.sensitivity()  # per nm/s
# Noise at the input with gain 128 and 1000 SPS is about 0.5 uV rms (section 7.1).
_NOISE_NV = 500
_BURN_OUT_A = 10e-6  # 8.3.10
_NM_S_MAX = 2_000_000  # well beyond full scale

_FULL = 0x7FFFFF


def _period_us(register_1):
    rates = (_SPS_NORMAL, _SPS_DUTY, _SPS_TURBO, _SPS_NORMAL)[register_1 >> 3 & 3]
    return int(1_000_000 / rates[register_1 >> 5])


class Ads1220:
    def __init__(self, line, seed):
        self._line = line
        self._noise = noise.table(seed)
        self._selected = False
        self._on_ready = None
        self._event = None
        self._has_sagged = False
        self._burn_us = -(1 << 40)  # when the burn-out currents last changed
        self._power_on()

    def _power_on(self):
        self.registers = bytearray(4)  # 8.6: all zero after reset
        self._register_1 = 0
        self._period_us = _period_us(0)
        self._start_us = None  # of the first conversion; None while powered down (8.4.1)
        self._seen = 0  # conversions already read
        self._left = 0
        self._at = 0
        self._out = b""  # what is shifted out, from place _out_at on
        self._out_at = 0
        self._data_out = bytearray(3)
        self._last = 0
        self._set_for = None  # the kind of line that the following were computed for
        self._whole = self._part = self._shift = 0  # of the codes of one nm/s
        self._noise_codes = 0
        self._rest = 0
        self._schedule()

    def watch(self, on_edge):
        # The DRDY pin falls when a conversion is ready (8.5.1.3): on_edge(0, t_us); None ends it.
        self._on_ready = on_edge
        self._schedule()

    def _schedule(self):
        if self._event is not None:
            simclock.cancel(self._event)
            self._event = None
        if self._on_ready is not None and self._start_us is not None:
            next_us = self._start_us + (self._conversions() + 1) * self._period_us
            self._event = simclock.at(next_us, self._ready)

    def _ready(self, t_us):
        if self._is_out(t_us):
            return t_us + self._period_us if self._start_us is not None else None
        self._on_ready(0, t_us)
        return t_us + self._period_us if self._start_us is not None else None

    def _is_out(self, t_us):
        # Whether the part is without supply; a short sag only costs it its registers.
        kind = self._line.kind(t_us)
        if kind == "brown_out" and not self._has_sagged:
            self._has_sagged = True
            self._power_on()
            return True
        return kind == "silent"

    def select(self, level):
        # The CS line. High ends whatever command was under way (8.5.1.1).
        self._selected = not level
        self._left = 0
        self._out_at = len(self._out)

    def drdy(self):
        # The DRDY pin: low when a conversion is ready that was not read (8.5.1.2).
        return 0 if self._conversions() > self._seen else 1

    def transfer(self, byte):
        # One byte in, one byte out, most significant bit first (SPI mode 1).
        if not self._selected or self._is_out(simclock.now()):
            return 0xFF
        answer = 0
        if not self._left and self._out_at == len(self._out) and not self.drdy():
            # Without a command the latest conversion is shifted out (8.5.4).
            self._latch()
        if self._out_at < len(self._out):
            answer = self._out[self._out_at]
            self._out_at += 1
        if self._left:
            self._data(byte)
        elif byte:
            self._decode(byte)
        return answer

    def _decode(self, byte):
        if byte & 0xF0 == _WREG or byte & 0xF0 == _RREG:
            self._at = byte >> 2 & 3
            count = (byte & 3) + 1
            if byte & 0xF0 == _WREG:
                self._left = count
            else:
                self._out = bytes(self.registers[self._at : self._at + count])
                self._out_at = 0
        elif byte & 0xFE == _RESET:
            self._power_on()
        elif byte & 0xFE == _START:
            self._restart()
        elif byte & 0xFE == _POWERDOWN:
            self._start_us = None
            self._schedule()
        elif byte & 0xF0 == _RDATA:
            self._latch()

    def _data(self, byte):
        if self._at < 4:
            self.registers[self._at] = byte
            self._set_for = None
            if self._at == 1:
                self._period_us = _period_us(byte)
                if (byte ^ self._register_1) & 1:
                    self._burn_us = simclock.now()
                self._register_1 = byte
        self._at += 1
        self._left -= 1
        if not self._left and self._start_us is not None:
            # Writing a register restarts the conversion (8.5.3.7).
            self._restart()

    def _restart(self):
        self._start_us = simclock.now()
        self._seen = 0
        self._schedule()

    def _latch(self):
        number = self._conversions()
        if number != self._seen or not number:
            self._seen = number
            value = self._value(number) if number else 0
            for place in range(3):
                self._data_out[place] = value >> (16 - 8 * place) & 0xFF
        self._out = self._data_out
        self._out_at = 0

    def _conversions(self):
        # How many are complete. Single-shot mode (CM = 0) stops after the first.
        if self._start_us is None:
            return 0
        count = (simclock.now() - self._start_us) // self._period_us
        return count if self.registers[1] & 4 else min(count, 1)

    def _value(self, number):
        # 24-bit two's complement code of conversion `number`, clipped at full scale (8.5.2).
        t_us = self._start_us + number * self._period_us
        nm_s = max(-_NM_S_MAX, min(_NM_S_MAX, self._line.nm_s(t_us)))
        kind = self._line.kind(t_us)
        if kind == "stuck":
            return self._last
        is_swinging = t_us - self._burn_us < 1_000_000 and kind != "cut"
        if is_swinging or kind != self._set_for:
            self._set_codes(t_us, is_swinging)
            self._set_for = None if is_swinging else kind
        code = nm_s * self._whole + (nm_s * self._part >> self._shift)
        code += self._rest + (self._noise[number & (noise.SIZE - 1)] * self._noise_codes >> 8)
        self._last = max(-_FULL - 1, min(_FULL, code))
        return self._last

    def _set_codes(self, t_us, is_swinging):
        # What the registers and the wiring make of ground, noise and rest, in codes.
        vref_uv = _SUPPLY_UV if self.registers[2] >> 6 == 3 else _VREF_UV
        codes_per_nv = (1 << (self.registers[0] >> 1 & 7)) * (_FULL + 1) / (vref_uv * 1000)
        mux = self.registers[0] >> 4
        # AIN0 - AIN1, AIN1 - AIN0; else inputs shorted, or left open in this wiring.
        sign = 1 if mux == 0 else -1 if mux == 6 else 0
        codes_per_nm_s = sign * _GEOPHONE_NV * codes_per_nv
        self._whole = int(codes_per_nm_s // 1)
        # Below 512, so that a product with the ground stays below 2**30.
        part = codes_per_nm_s - self._whole
        self._shift = 9
        while 0 < part * (2 << self._shift) < 511:
            self._shift += 1
        self._part = min(511, round(part * (1 << self._shift)))
        self._noise_codes = round(256 * _NOISE_NV / noise.RMS * codes_per_nv)
        self._rest = round(sign * self._rest_nv(t_us, is_swinging) * codes_per_nv)

    def _rest_nv(self, t_us, is_swinging):
        # Between the terminals while the ground is still.
        ohm = self._line.terminals_ohm(_FRONT, t_us)
        rest_nv = 1e9 * _FRONT.sense_v * ohm / (_FRONT.sense_ohm + ohm)
        burn = self.registers[1] & 1
        if burn:
            rest_nv += 1e9 * _BURN_OUT_A * (ohm + _FRONT.filter_ohm)
        if is_swinging:
            rest_nv += (1 if burn else -1) * _swing_nv((t_us - self._burn_us) * 1e-6)
        return rest_nv


def _swing_nv(t_s):
    # The coil's answer to a step of the burn-out current: the force G i moves the mass, which
    # swings back with its own frequency and damping.
    one = _FRONT.geophone
    damping = _FRONT.damping()
    w0 = 2 * pi * one.natural_hz
    w = w0 * (1 - damping**2) ** 0.5
    coil_a = _BURN_OUT_A * _FRONT.shunt_ohm / (_FRONT.shunt_ohm + one.coil_ohm)
    speed = one.sensitivity * coil_a / (one.mass_kg * w) * exp(-damping * w0 * t_s) * sin(w * t_s)
    return 1e9 * _FRONT.sensitivity() * speed


class ReadyLine:
    # The DRDY pin, for machine.Pin.

    def __init__(self, part):
        self.level = part.drdy
        self.watch = part.watch


def _out_of_step(_byte):
    return 0xFF


class Spi:
    # The bus as machine.SPI gives it. One part is on it. The ADS1220 takes data at the falling edge
    # of a clock that rests low (8.5.1.3); in another mode it answers nothing of use.

    def __init__(self, part, polarity=0, phase=1):
        self._part = part
        self._is_in_step = polarity == 0 and phase == 1

    def deinit(self):
        self._part = None

    def _transfer(self):
        if self._part is None:
            raise OSError(19)
        return self._part.transfer if self._is_in_step else _out_of_step

    def write_readinto(self, out, answer):
        transfer = self._transfer()
        if len(out) != len(answer):
            raise ValueError("buffers must be the same length")
        for i in range(len(out)):
            answer[i] = transfer(out[i])

    def readinto(self, answer, write=0):
        transfer = self._transfer()
        for i in range(len(answer)):
            answer[i] = transfer(write)

    def read(self, size, write=0):
        answer = bytearray(size)
        self.readinto(answer, write)
        return bytes(answer)

    def write(self, out):
        transfer = self._transfer()
        for byte in out:
            transfer(byte)
