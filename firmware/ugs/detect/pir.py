# SPDX-License-Identifier: MIT
# Verdict: evidence from the PIR. Counted in blocks of 128 ms, so a long uptime needs no large ints.
#
# More than 10 pulses a minute for 5 minutes is sun or leaves: the PIR is then ignored until a
# minute has been calm.

from micropython import const

_SUPPORT = const(80)  # 10 s
_MINUTE = const(469)
_BUSY = const(10)
_BUSY_MINUTES = const(5)


class Pir:
    def __init__(self):
        self._since = _SUPPORT
        self._fresh = 0  # pulses, each within 10 s of the one before
        self._clock = 0
        self._pulses = 0
        self._busy = 0
        self.total = 0  # pulses, modulo 2^16

    def edge(self, level):
        if not level:
            return
        self._fresh = self._fresh + 1 if self._since < _SUPPORT else 1
        self._since = 0
        self._pulses += 1
        self.total = (self.total + 1) & 0xFFFF

    def tick(self):
        # once per block
        if self._since < _SUPPORT:
            self._since += 1
        self._clock += 1
        if self._clock >= _MINUTE:
            self._busy = self._busy + 1 if self._pulses > _BUSY else 0
            self._busy = min(self._busy, _BUSY_MINUTES)
            self._clock = 0
            self._pulses = 0

    def is_muted(self):
        return self._busy >= _BUSY_MINUTES

    def recent(self):
        # 0..3: pulses that followed one another within 10 s, the last one less than 10 s ago
        if self._since >= _SUPPORT or self.is_muted():
            return 0
        return min(3, self._fresh)
