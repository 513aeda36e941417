# SPDX-License-Identifier: MIT
# Board layer, simulated: the RP2040's 12-bit ADC behind the geophone amplifier.
#
# Scale and offset follow from the components (parts/front_end.py). The converter adds about one
# code rms of noise (8.7 effective bits are given for 1.8 codes, RP2040 datasheet 4.9.3; the
# amplifier's filter leaves about half of it).

from parts import noise
from parts.front_end import FRONT_ENDS

FRONT = FRONT_ENDS["rp2040_adc"]
READINGS = 4  # of 12 bits, summed by the node for each sample
# Codes are computed times 256.
SHIFT = 10
NUMERATOR = round((256 << SHIFT) / (READINGS * FRONT.nm_s_per_count()))
MID_X256 = 2048 * 256
WELL_X256 = MID_X256 + round(FRONT.well_counts() * 256 / READINGS)
# Beyond +-150 um/s the output is at its rail anyway; the bound keeps products below 2**30.
NM_S_MAX = 150_000


class GeophoneChannel:
    #   reads: number of readings since power-on; first_us: time of the first one

    def __init__(self, now, line, seed):
        self.reads = 0
        self.first_us = None
        self._now = now
        self._line = line
        self._noise = noise.table(seed)
        self._i = 0
        self._stride = 1
        self._t_us = None
        self._level_x256 = WELL_X256
        self._kind = "well"
        self._rest_x256 = WELL_X256  # with the ground still

    def code(self):
        # 0..4095. Several readings at one instant differ by noise only.
        self.reads += 1
        return self.code_at(self._now())

    def code_at(self, t_us):
        if t_us != self._t_us:
            if self._t_us is None:
                self.first_us = t_us
            self._t_us = t_us
            self._look(t_us)
        i = self._i + self._stride
        if i >= noise.SIZE:
            # Another odd stride walks the table in another order: no 4 s period in the noise.
            i -= noise.SIZE
            self._stride = (self._stride + 2) & 255
        self._i = i
        if self._kind == "stuck":
            return self._level_x256 >> 8
        code = (self._level_x256 + self._noise[i] + 128) >> 8
        if code < 0:
            return 0
        return code if code < 4096 else 4095

    def _look(self, t_us):
        nm_s = self._line.nm_s(t_us)
        kind = self._line.kind(t_us)
        if kind != self._kind:
            self._kind = kind
            counts = FRONT.sense_counts(self._line.terminals_ohm(FRONT, t_us))
            self._rest_x256 = MID_X256 + round(min(counts * 256 / READINGS, 1 << 20))
        elif kind == "stuck":
            return
        if nm_s > NM_S_MAX:
            nm_s = NM_S_MAX
        elif nm_s < -NM_S_MAX:
            nm_s = -NM_S_MAX
        self._level_x256 = self._rest_x256 + (nm_s * NUMERATOR >> SHIFT)


class LevelChannel:
    # A steady voltage, as the battery divider gives it: `pin_mv` at the pin, of 3300 mV.

    def __init__(self, pin_mv):
        self._code = max(0, min(4095, pin_mv * 4095 // 3300))

    def code(self):
        return self._code

    def code_at(self, _t_us):
        return self._code


class CurveChannel:
    # A voltage that follows points (t_us, pin_mv) in straight lines, steady before and after them.

    def __init__(self, now, points):
        self._now = now
        self._points = points

    def code(self):
        return self.code_at(self._now())

    def code_at(self, t_us):
        before_us, before_mv = self._points[0]
        pin_mv = before_mv
        for after_us, after_mv in self._points:
            if t_us < after_us:
                if after_us > before_us:
                    rise = (after_mv - before_mv) * (t_us - before_us) // (after_us - before_us)
                    pin_mv = before_mv + rise
                break
            before_us, before_mv = after_us, after_mv
            pin_mv = after_mv
        return max(0, min(4095, pin_mv * 4095 // 3300))
