# SPDX-License-Identifier: MIT
"""Measured performance: reports for the supervisor's page and the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from gateway.model import text
from gateway.model.alarm import Alarm
from gateway.model.place.site import Site
from gateway.performance.measure import measure
from gateway.performance.monitored_time import MAX_KEPT_DAYS, MonitoredTime, day_of

MAX_ALARMS = 20_000  # of one report; the newest
_DAY_US = 24 * 3600 * 1_000_000

ReadAlarms = Callable[[int, int], Awaitable[list[str]]]


class PerformanceService:
    """`read_alarms` gives the JSON of alarms raised since a time, newest first, at most so many."""

    def __init__(
        self,
        book: MonitoredTime,
        site: Callable[[], Site],
        read_alarms: ReadAlarms,
        clock: Callable[[], int],
    ) -> None:
        self._book = book
        self._site = site
        self._read_alarms = read_alarms
        self._clock = clock
        self._one = asyncio.Lock()  # a year of alarms is work: one report at a time

    async def measured(self, days: int) -> dict[str, Any]:
        """Figures of the last `days` days, today included. Raises StoreError, ValueError."""
        if not 1 <= days <= MAX_KEPT_DAYS:
            raise ValueError(f"days must be 1 to {MAX_KEPT_DAYS}")
        now_us = self._clock()
        first = day_of(now_us - (days - 1) * _DAY_US)
        since_us = now_us - now_us % _DAY_US - (days - 1) * _DAY_US
        book = self._book
        kept = {name: day for name, day in book.days.items() if name >= first}
        tests = [test for test in book.walk_tests.values() if test.from_us >= since_us]
        nodes = list(self._site().nodes)
        # One that is older than the period counts from its start.
        gaps = [
            replace(gap, from_us=max(gap.from_us, since_us))
            for gap in book.gaps
            if gap.until_us > since_us
        ]
        async with self._one:
            values = await self._read_alarms(since_us, MAX_ALARMS)

            def work() -> dict[str, Any]:
                alarms = [text.parse_json(value, Alarm) for value in values]
                return measure(alarms, tests, kept, nodes, now_us, gaps)

            figures = await asyncio.to_thread(work)
        return {"since": first, "cut": len(values) >= MAX_ALARMS, **figures}
