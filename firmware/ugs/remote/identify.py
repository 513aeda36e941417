# SPDX-License-Identifier: MIT
# remote: the board's LED blinks for a while, so that a person finds the node. This costs battery
# and also shows the node to others: a minute at most, and a reset also ends it.

from micropython import const

from ugs.wire import schema

_OK = schema.enum_value("result", "status", "ok")
_REFUSED = schema.enum_value("result", "status", "refused")
_FAILED = schema.enum_value("result", "status", "failed")
_SECONDS_MAX = const(60)
_HALF_MS = const(250)
_OUT_OF_BOUNDS = const(3)
_NO_LED = const(8)


class Job:
    # One at a time. step() five times a second until it returns False.

    def __init__(self):
        self._led = None
        self._start_ms = self._end_ms = 0

    def take(self, node, command, now_ms):
        # (status, value): the result.
        seconds = command.get("value") or 0
        if not 0 < seconds <= _SECONDS_MAX:
            return _REFUSED, _OUT_OF_BOUNDS
        try:
            self._led = node.board.make_led()
        except (AttributeError, OSError, ValueError):
            return _FAILED, _NO_LED
        self._start_ms = now_ms
        self._end_ms = now_ms + seconds * 1000
        node.jobs.append(self)
        return _OK, seconds

    def step(self, now_ms):
        # Whether it continues.
        if now_ms >= self._end_ms:
            self._led(0)
            return False
        self._led((now_ms - self._start_ms) // _HALF_MS & 1 ^ 1)
        return True

    def next(self, _now_ms):
        return None
