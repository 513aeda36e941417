# SPDX-License-Identifier: MIT
# conditions: reports each start and end of a condition, and keeps the active ones.

from micropython import const

from ugs.lines import note
from ugs.wire import schema

_HOLD_MS = const(600_000)
_HOLD_TAMPER_MS = const(10_000)


class Conditions:
    # record(name, values) is called on every change of a condition, never for a repetition. An end
    # is reported only after a hold time: a condition that flickers must not fill the ledger and
    # push detections out of it.

    def __init__(self, record):
        self._record = record
        # name -> when the start was reported
        self._active = {}

    def set(self, now_ms, name, active, value=None):
        since_ms = self._active.get(name)
        if active == (since_ms is not None):
            return
        if active:
            self._active[name] = now_ms
        else:
            hold_ms = _HOLD_TAMPER_MS if name == "tamper" else _HOLD_MS
            if now_ms - since_ms < hold_ms:
                return
            del self._active[name]
        self.report(now_ms, name, active, value)

    def level(self):
        # For a hello: bit k is set while the condition of kind k is active.
        bits = 0
        for name in self._active:
            bits |= 1 << schema.enum_value("condition", "kind", name)
        return bits

    def report(self, now_ms, name, active=True, value=None, boot=None):
        # Also for a condition without an end. Returns the result of record().
        note("condition reported kind=%s active=%d value=%s" % (name, active, value))
        values = {
            "t_ms": now_ms,
            "kind": schema.enum_value("condition", "kind", name),
            "active": int(active),
        }
        if value is not None:
            values["value"] = value
        if boot is not None:
            values["boot"] = boot
        return self._record("condition", values)
