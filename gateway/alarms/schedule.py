# SPDX-License-Identifier: MIT
"""Arming by the clock on the wall: weekly windows in the time zone of the site.

The wall clock decides, so 18:00 is 18:00 in summer and in winter: when clocks are set back, an hour
that comes twice is armed twice; an hour that is left out is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MIN = 24 * 60
WEEK_MIN = 7 * _DAY_MIN
_FORM = re.compile(
    r"(?P<day>[a-z]{3})(-(?P<last>[a-z]{3}))? "
    r"(?P<h0>[0-9]{2}):(?P<m0>[0-9]{2})-(?P<h1>[0-9]{2}):(?P<m1>[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of the week from Monday 00:00, [begin, end); `end` beyond the week wraps."""

    begin: int
    end: int

    def holds(self, minute: int) -> bool:
        return self.begin <= minute < self.end or self.begin <= minute + WEEK_MIN < self.end


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a sector is armed; `text` is how it was written."""

    zone: ZoneInfo
    windows: tuple[Window, ...]
    text: str

    def armed(self, at_us: int) -> bool:
        local = datetime.fromtimestamp(at_us // 1_000_000, self.zone)
        minute = local.weekday() * _DAY_MIN + local.hour * 60 + local.minute
        return any(window.holds(minute) for window in self.windows)


def parse_windows(written: str) -> tuple[Window, ...]:
    """Windows of one line such as `mon-fri 18:00-06:00`, one for each day.

    An end at or before the begin is on the next day. Raises ValueError.
    """
    match = _FORM.fullmatch(written)
    if match is None:
        raise ValueError(f"{written!r} is not like 'mon-fri 18:00-06:00'")
    first, last = match["day"], match["last"] or match["day"]
    if first not in DAYS or last not in DAYS:
        raise ValueError(f"{written!r}: days are {' '.join(DAYS)}")
    begin = _minutes(match["h0"], match["m0"], written)
    end = _minutes(match["h1"], match["m1"], written)
    if begin == _DAY_MIN:
        raise ValueError(f"{written!r}: 24:00 can only be an end")
    end += _DAY_MIN if end <= begin else 0
    days = (DAYS.index(last) - DAYS.index(first)) % 7 + 1
    starts = [(DAYS.index(first) + offset) % 7 * _DAY_MIN for offset in range(days)]
    return tuple(Window(start + begin, start + end) for start in starts)


def _minutes(hour: str, minute: str, written: str) -> int:
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > _DAY_MIN:
        raise ValueError(f"{written!r}: times are 00:00 to 24:00")
    return total
