# SPDX-License-Identifier: MIT
# Board layer, simulated: the circuit that wakes a sleeping board: two stages of amplification
# behind the coil and a comparator (tools/wiring/wake.toml; docs/boards). Its output is high while
# the ground, in the band of steps, is above the threshold.
#
# Each stage has one pole of its high-pass and one of its low-pass. All is integers, in steps
# of 2 ms; it is computed only for the requested time.

from . import noise

# From the components in the drawing; tests/wiring compares them.
THRESHOLD_NM_S = 540  # 12 uV at the coil
HYSTERESIS_NM_S = 36  # to either side: half of 3.3 mV at the comparator
NOISE_NM_S = 64  # rms of the amplifier on still ground
CURRENT_NA = 5_100  # of the whole circuit, with both dividers

_STEP_US = 2_000
# 1 - exp(-2 pi f 2 ms), times 2^14: 3.29 Hz and 106.4 Hz.
_HIGH_PASS = 663
_LOW_PASS = 12_080
_SHIFT = 14
_GAIN_X256 = 271  # of the band's middle, which the poles take a little of
_SETTLE_STEPS = 250  # half a second before the requested time
_MAX_NM_S = 400_000  # the amplifier is at its rails; the poles keep 16 bits with sign


class Comparator:
    # now(): simulated time; line: a GeophoneLine.

    def __init__(self, now, line, seed):
        self._now = now
        self._line = line
        self._noise = noise.table(seed + 2)
        self._begin(now())

    def _begin(self, t_us):
        # The state half a second before: the amplifier never sleeps.
        self._t_us = t_us - _SETTLE_STEPS * _STEP_US
        self._high = [0, 0]  # slow part in each high-pass
        self._low = [0, 0]
        self._is_high = False
        self._step_to(t_us)

    def _step_to(self, t_us):
        while self._t_us + _STEP_US <= t_us:
            self._step()

    def _step(self):
        self._t_us += _STEP_US
        t_us = self._t_us
        x = max(-_MAX_NM_S, min(_MAX_NM_S, self._line.nm_s(t_us)))
        high, low = self._high, self._low
        x += self._noise[t_us // _STEP_US & (noise.SIZE - 1)] * NOISE_NM_S // noise.RMS
        i = 0
        while i < 2:
            high[i] += (x - high[i]) * _HIGH_PASS >> _SHIFT
            x -= high[i]
            low[i] += (x - low[i]) * _LOW_PASS >> _SHIFT
            x = low[i]
            i += 1
        x = x * _GAIN_X256 >> 8
        if self._is_high:
            self._is_high = x > THRESHOLD_NM_S - HYSTERESIS_NM_S
        else:
            self._is_high = x > THRESHOLD_NM_S + HYSTERESIS_NM_S

    def level(self):
        # Of the output now.
        self._catch_up(self._now())
        return 1 if self._is_high else 0

    def watch(self, _on_edge):
        raise NotImplementedError("no node has an interrupt there")

    def when(self, level, from_us, to_us):
        # When the output first has that level in this time, or None.
        self._catch_up(from_us)
        if self._is_high == bool(level):
            return from_us
        while self._t_us + _STEP_US < to_us:
            self._step()
            if self._is_high == bool(level):
                return max(from_us, self._t_us)
        return None

    def _catch_up(self, t_us):
        if t_us < self._t_us or t_us - self._t_us > _SETTLE_STEPS * _STEP_US:
            self._begin(t_us)
        else:
            self._step_to(t_us)
