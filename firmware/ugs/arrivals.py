# SPDX-License-Identifier: MIT
# arrivals: footfall arrival times: the UTC and level of each step while a person is detected.
#
# The arrival times of one footfall at several nodes give its position if their clocks agree. They
# are therefore sent only while the clock is good, for the last seconds, once, and are not stored.

from micropython import const

from ugs.detect.detector import FS_HZ
from ugs.detect.picker import CLOCK
from ugs.wire import schema

_GOOD_MS = const(10)  # the largest bound of the clock's error in a message
_EVERY_MS = const(4_000)
_MIN_MS = const(2_000)
_MAX_PICKS = const(8)  # footfalls in a message
_OLDEST = const(1500)  # samples = 6 s
_LEVELS = const(40)  # of the envelope in 10 nm/s
# A clock that is not good enough is set again, a few times for each activity.
_ASK_EVERY_MS = const(15_000)
_ASKS = const(4)
_U16_MAX = const(65535)
_ON_FOOT = tuple(
    schema.enum_value("detection", "class", name) for name in ("person", "group", "digging")
)


class Arrivals:
    def __init__(self, detector, clock):
        self._detector = detector
        self._clock = clock
        self._sent = 0  # picks that were sent or skipped
        # When that was, or the time of the onset, whose detection is sent first; or None.
        self._sent_ms = None
        self._asked_ms = 0
        self._asks = 0

    def next(self, now_ms):
        # The values of a message, or None. Must be called often: unrequested footfalls expire.
        picker = self._detector.picker
        if not self._is_on_foot():
            self._sent_ms = None
            self._asks = 0
            return None
        if self._sent_ms is None:
            self._sent_ms = now_ms
        fresh = (picker.total() - self._sent) & CLOCK
        waited_ms = now_ms - self._sent_ms
        if not fresh or waited_ms < _MIN_MS or (fresh < _MAX_PICKS and waited_ms < _EVERY_MS):
            return None
        self._sent = picker.total()
        self._sent_ms = now_ms
        return self._values(min(fresh, _MAX_PICKS)) if self._is_clock_good() else None

    def wants_time(self, now_ms):
        # Whether to ask the gateway for the time before the next heartbeat.
        if self._asks >= _ASKS or now_ms - self._asked_ms < _ASK_EVERY_MS:
            return False
        if not self._is_on_foot() or self._is_clock_good():
            return False
        self._asks += 1
        self._asked_ms = now_ms
        return True

    def _is_on_foot(self):
        return self._detector.is_open() and self._detector.report.class_id in _ON_FOOT

    def _is_clock_good(self):
        error_ms = self._clock.quality_ms()
        return error_ms is not None and error_ms <= _GOOD_MS

    def _values(self, count):
        detector, picker = self._detector, self._detector.picker
        newest = picker.now() - 1
        while count and ((newest - picker.time(count)) & CLOCK) > _OLDEST:
            count -= 1
        if not count:
            return None
        first = picker.time(count)
        pairs = []
        for back in range(count, 0, -1):
            pairs.append(_ms((picker.time(back) - first) & CLOCK))
            pairs.append(min(_U16_MAX, picker.level(back) // _LEVELS))
        # Uptime is derived from the newest sample: the picker's own clock wraps.
        first_ms = detector.t_ms - _ms((newest - first) & CLOCK)
        return {
            "t_ms": detector.report.onset_ms,
            "utc_ms": self._clock.utc_ms(first_ms),
            "error_ms": self._clock.quality_ms(),
            "footfalls": pairs,
        }


def _ms(samples):
    return samples * 1000 // FS_HZ
