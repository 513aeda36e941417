# SPDX-License-Identifier: MIT
"""Accountability: verification of what the chain covers: alarms, records, state. No I/O.

An alarm must be as the newest change of its history has it. Records must give the digests of their
seals, day by day; days that were erased by retention are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.audit.seal import Part, Tally, state_digest
from gateway.config.retention import DAY_US
from gateway.model.actions.record import EDITED, ERASED, LEFT_OUT, SEALED, STARTED
from gateway.store.records import TABLES, Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_ALARM = "alarm {}: its history is there, and it is not"


@dataclass(slots=True)
class _Range:
    """Of one table, by one seal; `resumed`: a version without seals ran before it."""

    resumed: bool
    after: int
    upto: int
    parts: dict[Part, tuple[int, str]]


@dataclass(slots=True)
class Sealed:
    """What entries of the audit state about records, gathered along the chain; `starts` of the
    gateway since the newest seal: each run with seals has one in the commit of its start."""

    state: str = ""
    starts: int = 0
    ranges: dict[str, list[_Range]] = field(default_factory=lambda: {name: [] for name in TABLES})
    erased: dict[str, int] = field(default_factory=dict)  # class: everything before is gone
    edited: list[tuple[int, str]] = field(default_factory=list)
    # Numbers by table and part: records that the store did not accept, and the gateway reported.
    left_out: dict[tuple[str, Part], list[int]] = field(default_factory=dict)

    def note(self, number: int, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """An entry. Raises ValueError and the like for one that no gateway wrote."""
        if action == ERASED:
            kept, before_us = str(detail["class"]), int(detail["before_us"])
            self.erased[kept] = max(self.erased.get(kept, 0), before_us)
        elif action == EDITED:
            self.edited.append((number, subject))
        elif action == LEFT_OUT:
            part = str(detail["class"]), int(detail["day"])
            numbers = self.left_out.setdefault((str(detail["table"]), part), [])
            numbers.append(int(detail["number"]))
        elif action == STARTED:
            self.starts += 1
        elif action == SEALED:
            resumed, self.starts = self.starts > 1, 0
            self.state = str(detail["state"])
            for name, ranges in self.ranges.items():
                after, upto, parts = detail["records"][name]
                known = {(str(k), int(day)): (int(n), str(sha)) for k, day, n, sha in parts}
                ranges.append(_Range(resumed, int(after), int(upto), known))


Problem = Callable[[str], None]


def check_alarms(alarms: Iterable[Row], newest: Mapping[int, Row], add: Problem) -> int:
    """`newest` is the last row of the history of each alarm. Returns how many alarms there are."""
    seen = set()
    for number, *row in alarms:
        seen.add(number)
        change = newest.get(number)
        if change is None:
            add(f"alarm {number}: it has no history: inserted")
        elif row[-1] != change[5] or not _columns_fit(number, row):
            add(f"alarm {number}: not as its history has it")
    for number in sorted(newest.keys() - seen):
        add(_NO_ALARM.format(number))
    return len(seen)


def _columns_fit(number: int, row: list[Any]) -> bool:
    kind, key, raised_us, is_open, text = row
    try:
        value = json.loads(text)
        acknowledged = value["acknowledged"] or value.get("masked") or value.get("suppressed")
        expected = [value["id"], value["kind"], value["key"], value["raised_us"]]
        expected.append(bool(value["active"] or not acknowledged))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    return expected == [number, kind, key, raised_us, bool(is_open)]


def check_state(rows: Mapping[str, str], sealed: Sealed, add: Problem) -> None:
    """The state that reports show, against the newest seal."""
    if sealed.state and not sealed.starts and state_digest(rows) != sealed.state:
        add("policies, orders, cues or monitored time: changed after they were sealed")


def check_records(name: str, rows: Iterable[Row], sealed: Sealed, add: Problem) -> tuple[int, int]:
    """One table, in order of its numbers: (rows that a seal covers, rows that none does)."""
    covered = uncovered = 0
    ranges = iter(sealed.ranges[name])
    now = next(ranges, None)
    tally = Tally(TABLES[name])
    upto = now.after if now else 0
    for row in rows:
        if type(row[0]) is not int:
            add(f"{name}: malformed")
            break
        while now is not None and row[0] > now.upto:
            _close(name, now, tally, upto, sealed, add)
            upto, now, tally = now.upto, next(ranges, None), Tally(TABLES[name])
        if now is None or row[0] <= now.after:
            uncovered += 1
            continue
        try:
            tally.add([row])
        except (ValueError, TypeError, OverflowError):
            add(f"{name} {row[0]}: malformed")
        covered += 1
    while now is not None:
        _close(name, now, tally, upto, sealed, add)
        upto, now, tally = now.upto, next(ranges, None), Tally(TABLES[name])
    return covered, uncovered


def _close(
    name: str, given: _Range, tally: Tally, before: int, sealed: Sealed, add: Problem
) -> None:
    """The range is over: it must start where the one before ended, and hold what it held."""
    where = f"{name} {given.after + 1} to {given.upto}"
    if given.after > before and not given.resumed:
        add(f"{name} {before + 1} to {given.after}: no entry covers them any more")
    found = tally.found()
    for part in sorted(found.keys() | given.parts.keys()):
        kept, day = part
        if day * DAY_US < sealed.erased.get(kept, 0):
            continue
        date = f"{_EPOCH + timedelta(days=day):%Y-%m-%d}" if abs(day) < 700_000 else f"day {day}"
        count, digest = given.parts.get(part, (0, ""))
        there, now = found.get(part, (0, ""))
        numbers = sealed.left_out.get((name, part), ())
        missing = sum(given.after < number <= given.upto for number in numbers)
        if missing and there == count - missing:
            continue  # the digest was that of all
        if there != count:
            add(f"{where}: {there} of {count} records of {date} are there")
        elif now != digest:
            add(f"{where}: records of {date} were changed after they were stored")
