# SPDX-License-Identifier: MIT
"""Measured performance: monitored time of each day and time without monitoring, operator hours,
scheduled walk tests. A part of the pipeline: saved and restored by it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from gateway.model.actions.overrides import Purpose, Walk
from gateway.store.interface import Snapshot, Writes

_DAY, _WALK, _GAP = "watch:", "walk_test:", "unwatched:"  # names of state rows
_UNTIL = "watched_until"
MAX_KEPT_DAYS = 366  # older days are dropped
MAX_WALK_TESTS = 1000
_KEPT_EVERY_S = 600.0
MAX_GAPS = 1000
MIN_GAP_US = 10_000_000  # a shorter one hides no crossing: nodes send later what they detected
_DAY_US = 24 * 3600 * 1_000_000


@dataclass(slots=True)
class Day:
    """Seconds that the gateway ran, and that operators had a console open, summed over them."""

    supervised_s: float = 0.0
    operator_s: float = 0.0


@dataclass(frozen=True, slots=True)
class WalkTest:
    """A scheduled walk test without names: those are in the audit log, as long as it is kept."""

    id: int
    from_us: int
    until_us: int
    sectors: tuple[str, ...]
    crossings: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which the gateway did not monitor, and why as far as it knows."""

    from_us: int
    until_us: int
    cause: str

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.until_us - self.from_us) / 1e6


class MonitoredTime:
    """Days by their UTC date, walk tests by number, gaps in order; `until_us` is the last time at
    which the gateway is known to have monitored."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self.until_us: int | None = None
        self.days: dict[str, Day] = {}
        self.walk_tests: dict[int, WalkTest] = {}
        self._changed: set[str] = set()
        self._since: dict[int, int] = {}
        self._waiting_s = 0.0  # counted and not stored

    def count(self, now_us: int, seconds: float, operators: int) -> None:
        """So many seconds passed, with so many operators at a console."""
        name = day_of(now_us)
        day = self.days.setdefault(name, Day())
        day.supervised_s += seconds
        day.operator_s += seconds * operators
        self._waiting_s += seconds
        self._changed.add(f"{_DAY}{name}")
        oldest = day_of(now_us - MAX_KEPT_DAYS * _DAY_US)
        for gone in [other for other in self.days if other < oldest]:
            del self.days[gone]
            self._changed.add(f"{_DAY}{gone}")

    def watched(self, now_us: int) -> None:
        """The gateway monitors at this moment."""
        self.until_us = now_us
        self._changed.add(_UNTIL)

    def missed(self, now_us: int, cause: str) -> Gap | None:
        """The gateway monitors again: the gap since it last did, if there is one."""
        from_us = self.until_us
        self.watched(now_us)
        if from_us is None or now_us - from_us < MIN_GAP_US:
            return None
        gap = Gap(from_us, now_us, cause)
        self.gaps.append(gap)
        self._changed.add(f"{_GAP}{from_us}")
        oldest_us = now_us - MAX_KEPT_DAYS * _DAY_US
        while len(self.gaps) > MAX_GAPS or self.gaps[0].until_us < oldest_us:
            self._changed.add(f"{_GAP}{self.gaps.pop(0).from_us}")
        return gap

    def note_walks(self, walks: tuple[Walk, ...]) -> None:
        """Record the walk tests among them, as they are now."""
        for walk in walks:
            if walk.purpose is not Purpose.WALK_TEST or self._since.get(walk.id) == walk.until_us:
                continue
            self._since[walk.id] = walk.until_us
            test = WalkTest(walk.id, walk.from_us, walk.until_us, walk.sectors, walk.crossings)
            self.walk_tests[walk.id] = test
            self._changed.add(f"{_WALK}{walk.id}")
        while len(self.walk_tests) > MAX_WALK_TESTS:
            oldest = min(self.walk_tests)
            del self.walk_tests[oldest]
            self._since.pop(oldest, None)
            self._changed.add(f"{_WALK}{oldest}")

    def collect(self, writes: Writes, everything: bool = True) -> None:
        """Deliver the rows since the last call; an empty value ends a row. Each time days are
        stored costs an entry of the audit: unless `everything`, they wait for some minutes."""
        days = everything or self._waiting_s >= _KEPT_EVERY_S
        due = {name for name in self._changed if days or not name.startswith(_DAY)}
        if days:
            self._waiting_s = 0.0
        for name in sorted(due):
            writes.state[name] = self._value(name)
        self._changed -= due

    def _value(self, name: str) -> str:
        kept: Day | WalkTest | Gap | None
        if name == _UNTIL:
            return str(self.until_us)
        if name.startswith(_GAP):
            kept = next((gap for gap in self.gaps if f"{_GAP}{gap.from_us}" == name), None)
        elif name.startswith(_DAY):
            kept = self.days.get(name.removeprefix(_DAY))
        else:
            kept = self.walk_tests.get(int(name.removeprefix(_WALK)))
        return json.dumps(asdict(kept), sort_keys=True) if kept else ""

    def restore(self, snapshot: Snapshot) -> None:
        """Restore what an earlier run left."""
        for name, value in snapshot.state.items():
            if name.startswith(_DAY):
                self.days[name.removeprefix(_DAY)] = Day(**json.loads(value))
            elif name.startswith(_GAP) and value:
                self.gaps.append(Gap(**json.loads(value)))
            elif name == _UNTIL:
                self.until_us = int(value)
            elif name.startswith(_WALK):
                row = json.loads(value)
                test = WalkTest(**{**row, "sectors": tuple(row["sectors"])})
                self.walk_tests[test.id] = test
                self._since[test.id] = test.until_us
        self.gaps.sort(key=lambda gap: gap.from_us)


def day_of(at_us: int) -> str:
    """The UTC date."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%d")
