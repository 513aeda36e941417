# SPDX-License-Identifier: MIT
# Room "board", simulated: the RP2040's 12-bit ADC behind the geophone amplifier.
#
# SM-24 geophone, 28.8 V/(m/s); amplifier gain 500 biased at mid-rail; 3.3 V over 4096 codes:
# one code is 55.95 nm/s. The converter adds about one code rms of noise (8.7 effective bits are
# given for 1.8 codes, RP2040 datasheet 4.9.3; the amplifier's filter leaves about half of it).

from parts import noise

# Codes are computed times 256: 256 / 55.949 nm/s = 4.5756 = 4685 / 1024 (to 1e-4).
_NUMERATOR = 4685
_SHIFT = 10
_MID_X256 = 2048 * 256
# Beyond +-150 um/s the output is at its rail anyway; the bound keeps products below 2**30.
_NM_S_MAX = 150_000


class GeophoneChannel:
    def __init__(self, now, feed, seed):
        self._now = now
        self._feed = feed
        self._noise = noise.table(seed)
        self._i = 0
        self._stride = 1
        self._t_us = None
        self._level_x256 = _MID_X256

    def code(self):
        # 0..4095. Several readings at one instant differ by noise only.
        t_us = self._now()
        if t_us != self._t_us:
            self._t_us = t_us
            nm_s = self._feed.at(t_us)
            if nm_s > _NM_S_MAX:
                nm_s = _NM_S_MAX
            elif nm_s < -_NM_S_MAX:
                nm_s = -_NM_S_MAX
            self._level_x256 = _MID_X256 + (nm_s * _NUMERATOR >> _SHIFT)
        i = self._i + self._stride
        if i >= noise.SIZE:
            # Another odd stride walks the table in another order: no 4 s period in the noise.
            i -= noise.SIZE
            self._stride = (self._stride + 2) & 255
        self._i = i
        code = (self._level_x256 + self._noise[i] + 128) >> 8
        if code < 0:
            return 0
        return code if code < 4096 else 4095


class LevelChannel:
    # A steady voltage, as the battery divider gives it: `pin_mv` at the pin, of 3300 mV.

    def __init__(self, pin_mv):
        self._code = max(0, min(4095, pin_mv * 4095 // 3300))

    def code(self):
        return self._code


class CurveChannel:
    # A voltage that follows points (t_us, pin_mv) in straight lines, steady before and after them.

    def __init__(self, now, points):
        self._now = now
        self._points = points

    def code(self):
        t_us = self._now()
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
