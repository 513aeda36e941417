# SPDX-License-Identifier: MIT
# remote: a waveform requested by the gateway: half of it from before the command, then the samples
# that follow, as mu-law in units of 4 nm/s, in parts. It is not stored: a lost part is missing.

from micropython import const

from ugs.drivers.sampler import RING
from ugs.remote.mulaw import mulaw
from ugs.wire import schema

_OK = schema.enum_value("result", "status", "ok")
_REFUSED = schema.enum_value("result", "status", "refused")
_UNSUPPORTED = schema.enum_value("result", "status", "unsupported")
_MULAW = schema.enum_value("snippet", "encoding", "mulaw8")
_OUT_OF_BOUNDS = const(3)
_SECONDS_MAX = const(8)
_BEFORE_MAX = const(640)  # samples that the ring certainly still holds
_MEAN_OF = const(512)
_PART = const(96)  # samples: with its head it fits the session's buffer
_AT_ONCE = const(64)  # samples encoded in one call: about 2 ms on a Pico W


class Job:
    def __init__(self):
        self._sampler = self._record = None
        self._codes = None  # of the samples encoded so far
        self._scale = self._command = self._first = self._mean = self._encoded = self._sent = 0

    def take(self, node, command, _now_ms):
        # (status, value) of a rejection, None when it starts: then a result follows the last part.
        # Raises MemoryError.
        if node.fw_prefix:
            return _UNSUPPORTED, None  # safe mode takes no samples
        seconds = command.get("value") or 0
        if not 0 < seconds <= _SECONDS_MAX:
            return _REFUSED, _OUT_OF_BOUNDS
        sampler = self._sampler = node.board.sampler
        self._scale = node.board.nm_s_per_count_x256
        self._record = node.journal.record
        total = seconds * sampler.fs_hz
        before = min(total // 2, _BEFORE_MAX, sampler.written)
        self._codes = bytearray(total)
        self._command = command["id"]
        self._first = sampler.written - before
        count = min(_MEAN_OF, sampler.written)
        ring = sampler.ring
        total = 0
        for n in range(sampler.written - count, sampler.written):
            total += ring[n & (RING - 1)]
        self._mean = total // count if count else 0
        node.jobs.append(self)
        return None

    def step(self, now_ms):
        # Whether it continues.
        parts = (len(self._codes) + _PART - 1) // _PART
        if self._sent < len(self._codes):
            return True
        result = {"t_ms": now_ms, "command_id": self._command, "status": _OK, "value": parts}
        self._record("result", result)
        return False

    def next(self, now_ms):
        # The next part, (name, values), or None while there is none.
        codes = self._codes
        if self._sent >= len(codes):
            return None
        self._encode()
        end = min(self._sent + _PART, len(codes))
        if self._encoded < end:
            return None
        sampler, start = self._sampler, self._sent
        age_ms = sampler.age_us(self._first + start) // 1000
        self._sent = end
        return "snippet", {
            "t_ms": max(0, now_ms - age_ms),
            "command_id": self._command,
            "fs_hz": sampler.fs_hz,
            "index": start // _PART,
            "total": (len(codes) + _PART - 1) // _PART,
            "encoding": _MULAW,
            "data": bytes(codes[start:end]),
        }

    def _encode(self):
        sampler, codes = self._sampler, self._codes
        begin = self._encoded
        lost = sampler.written - RING - (self._first + begin)
        if lost > 0:  # requested too late: these samples are overwritten
            begin = min(len(codes), begin + lost)
            for at in range(self._encoded, begin):
                codes[at] = 0xFF  # 0
        end = min(begin + _AT_ONCE, len(codes), sampler.written - self._first)
        ring, first, mean, scale = sampler.ring, self._first, self._mean, self._scale
        for at in range(begin, end):
            codes[at] = mulaw((ring[(first + at) & (RING - 1)] - mean) * scale >> 10)
        self._encoded = max(begin, end)
