# SPDX-License-Identifier: MIT
"""Intake: the battery voltage of each node by day, from its heartbeats, and the trend of it.

One reading an hour and one median a day are kept: heartbeats are most of what a large site sends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from gateway.model import text
from gateway.model.days_left import DaysLeft, days_left
from gateway.store.interface import Snapshot, Writes

# Where the node switches its radio off (ugs.health): from there on it is not received.
EMPTY_MV = 3_200
NONE_MV = 1_000  # below: no battery but a bench supply on the divider
CHANGED_MV = 250  # from day to day: the battery was changed
DAYS_MAX = 60
_HOUR_US = 3_600_000_000
_DAY_S = 86_400
_SET_BACK_H = 48
_ROW = "battery:"  # prefix of the state rows


@dataclass(slots=True)
class Voltage:
    """`days`: [day, median mV], oldest first; `today`: a reading for each hour of `day`."""

    days: list[list[int]] = field(default_factory=list)
    day: int = 0
    hour: int = 0
    today: list[int] = field(default_factory=list)
    trend: DaysLeft | None = None


class Batteries:
    """By node."""

    def __init__(self) -> None:
        self._known: dict[str, Voltage] = {}
        self._changed: set[str] = set()

    def on_health(self, node: str, at_us: int, battery_mv: int) -> None:
        """A heartbeat."""
        hour = at_us // _HOUR_US
        known = self._known.setdefault(node, Voltage())
        if known.hour - hour > _SET_BACK_H:  # our clock was wrong, and so are its days
            known = self._known[node] = Voltage()
        if battery_mv < NONE_MV or hour <= known.hour:
            return
        if known.today and hour // 24 > known.day:
            self._end_day(known)
        known.day, known.hour = hour // 24, hour
        known.today.append(battery_mv)
        self._changed.add(node)

    def trend(self, node: str) -> DaysLeft | None:
        """As of the last whole day."""
        known = self._known.get(node)
        return known.trend if known else None

    def collect(self, writes: Writes) -> None:
        """Rows that have changed since the last call."""
        for node in sorted(self._changed):
            writes.state[f"{_ROW}{node}"] = text.format_json(self._known[node])
        self._changed.clear()

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from the state of an earlier run."""
        for name, value in snapshot.state.items():
            if name.startswith(_ROW) and value:
                self._known[name.removeprefix(_ROW)] = text.parse_json(value, Voltage)

    def _end_day(self, known: Voltage) -> None:
        level = int(median(known.today))
        if known.days and level - known.days[-1][1] > CHANGED_MV:
            known.days.clear()
        known.days = [*known.days, [known.day, level]][-DAYS_MAX:]
        known.today.clear()
        known.trend = days_left([(day * _DAY_S, mv) for day, mv in known.days], EMPTY_MV)
