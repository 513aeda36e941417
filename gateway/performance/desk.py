# SPDX-License-Identifier: MIT
"""Measured performance: what asks for the figures: the supervisor's page and the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.console.acts import Given, read_announcement
from gateway.console.body import Body
from gateway.errors import ConfigError
from gateway.model import text
from gateway.model.acts import Act
from gateway.model.alarm import Alarm
from gateway.performance.measure import measure
from gateway.performance.watch import DAYS_MOST, day_of
from gateway.service.service import ActResult
from gateway.service.stages import Stages

ALARMS_MOST = 20_000  # of one report; the newest
_DAY_US = 24 * 3600 * 1_000_000

ReadAlarms = Callable[[int, int], Awaitable[list[str]]]
Perform = Callable[[Act], Awaitable[ActResult]]


class PerformanceDesk:
    """`read_alarms` gives the JSON of alarms raised since a time, newest first, at most so many."""

    def __init__(
        self,
        stages: Stages,
        read_alarms: ReadAlarms,
        perform: Perform,
        clock: Callable[[], int],
    ) -> None:
        self._stages = stages
        self._read_alarms = read_alarms
        self._perform = perform
        self._clock = clock
        self._one = asyncio.Lock()  # a year of alarms is work: one report at a time

    async def measured(self, days: int) -> dict[str, Any]:
        """Figures of the last `days` days, today included. Raises StoreError, ValueError."""
        if not 1 <= days <= DAYS_MOST:
            raise ValueError(f"days must be 1 to {DAYS_MOST}")
        now_us = self._clock()
        first = day_of(now_us - (days - 1) * _DAY_US)
        since_us = now_us - now_us % _DAY_US - (days - 1) * _DAY_US
        book = self._stages.watch
        kept = {name: day for name, day in book.days.items() if name >= first}
        tests = [test for test in book.walk_tests.values() if test.from_us >= since_us]
        nodes = list(self._stages.site.nodes)
        async with self._one:
            values = await self._read_alarms(since_us, ALARMS_MOST)

            def work() -> dict[str, Any]:
                alarms = [text.parse_json(value, Alarm) for value in values]
                return measure(alarms, tests, kept, nodes, now_us)

            figures = await asyncio.to_thread(work)
        return {"since": first, "cut": len(values) >= ALARMS_MOST, **figures}

    async def answer_performance(self, request: dict[str, Any], _person: str) -> dict[str, Any]:
        """The command line asks for the figures. Raises ConfigError."""
        days = request.get("days", 30)
        if isinstance(days, bool) or not isinstance(days, int):
            raise ConfigError("days must be a whole number")
        try:
            return {"performance": await self.measured(days)}
        except ValueError as error:
            raise ConfigError(str(error)) from None

    async def answer_walk_test(self, request: dict[str, Any], person: str) -> dict[str, Any]:
        """The command line announces a walk test; `person` as the kernel knows them."""
        rest = {name: value for name, value in request.items() if name != "verb"}
        rules = self._stages.policy.alarms
        try:
            body = Body(json.dumps({**rest, "purpose": "walk_test"}).encode())
            act = read_announcement(Given("", body, person, self._clock(), rules))
            body.done()
        except ValueError as error:
            raise ConfigError(str(error)) from None
        if not (await self._perform(act)).done:
            raise ConfigError("not possible: too many walks are announced")
        return {"until_us": act.until_us}
