# SPDX-License-Identifier: MIT
# pir_check: whether a PIR is plausible. One that trips continuously is ignored until it has been
# calm (swinger shutdown), and the node reports it.

from micropython import const

# Values of the condition pir_fault (docs/wire.md, section 7).
_WELL = const(0)
_STUCK = const(1)
_CHATTERING = const(2)
_SWINGER = const(3)

# A PIR holds its output for at least 0.5 s and rests for 0.2 s: at most 1.4 pulses a second. The
# count above 2 a second is accumulated; a loose wire reaches the limit within seconds.
_LEAK = const(2)
_FULL = const(15)
_CALM_S = const(60)
# Longer than any hold time, and longer than a person stays in front of it without a pause.
_STUCK_MS = const(600_000)


class PirCheck:
    # pir: a ugs.drivers.edges.EdgeQueue; is_shut is set and is_muted read here.

    def __init__(self, pir):
        self.fault = _WELL
        self._pir = pir
        self._rises = pir.rises
        self._level = pir.level
        self._since_ms = 0
        self._filled = 0
        self._calm_s = _CALM_S

    def step(self, now_ms):
        # Once a second. Returns the fault.
        pir = self._pir
        rises = (pir.rises - self._rises) & 0xFFFF
        self._rises = pir.rises
        if pir.level != self._level or rises:
            self._level = pir.level
            self._since_ms = now_ms
        self._filled = max(0, min(_FULL + _LEAK, self._filled + rises) - _LEAK)
        self._calm_s = 0 if rises > _LEAK else self._calm_s + 1
        if self._filled >= _FULL:
            pir.is_shut = True
        elif pir.is_shut and self._calm_s >= _CALM_S:
            pir.is_shut = False
        if pir.is_shut:
            self.fault = _CHATTERING
        elif self._level and now_ms - self._since_ms >= _STUCK_MS:
            self.fault = _STUCK
        else:
            self.fault = _SWINGER if pir.is_muted else _WELL
        return self.fault
