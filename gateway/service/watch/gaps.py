# SPDX-License-Identifier: MIT
"""Service: time in which this gateway did not monitor: stopped, asleep, frozen.

The clock that counts sleep (CLOCK_BOOTTIME) shows it while the gateway runs; the wall clock alone
would take a correction of the time for a sleep. At a start the store holds when it last monitored.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from gateway.audit.clock import steady_us
from gateway.model.actions.record import SYSTEM
from gateway.model.alarm import AlarmKind
from gateway.model.entry import Entry
from gateway.model.observation import AreaCondition
from gateway.performance.monitored_time import MIN_GAP_US, Gap
from gateway.service.running.intake_stage import Work
from gateway.service.service import Service
from gateway.service.stages import Stages

_LOG = logging.getLogger(__name__)
TICK_S = 1.0
COUNT_S = 60.0  # one row of the store each
ALARM_S = 60.0  # people are notified of a gap as long as this; a restart is shorter
STOPPED = "the gateway did not run"
ASLEEP = "the machine slept or the gateway was frozen"
CONFIRMED = "the gateway did not run, or its clock was behind: a person confirmed a later time"
_SHOWN_US = 24 * 3600 * 1_000_000


class GapWatch:
    """`operators` are those at a console now; `uptime_s` counts sleep."""

    def __init__(
        self,
        service: Service,
        operators: Callable[[], int],
        uptime_s: Callable[[], float] = lambda: steady_us() / 1e6,
    ) -> None:
        self._service = service
        self._operators = operators
        self._uptime_s = uptime_s
        self._seen_s = uptime_s()
        self._watched_s = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            self.tick()

    def tick(self) -> None:
        """Count the time since the last tick, as monitored or not."""
        service, now_s = self._service, self._uptime_s()
        passed_s, self._seen_s = now_s - self._seen_s, now_s
        if passed_s * 1e6 >= MIN_GAP_US:
            service.intake_stage.post(
                lambda now_us: Work(record_gap(service.stages, now_us, ASLEEP, passed_s))
            )
            return
        self._watched_s += passed_s
        if self._watched_s >= COUNT_S:
            now_us, book = service.clock_us(), service.stages.monitored_time
            book.count(now_us, self._watched_s, self._operators())
            book.watched(now_us)
            self._watched_s = 0.0


def record_gap(
    stages: Stages, now_us: int, cause: str, passed_s: float | None = None
) -> list[Entry]:
    """The gap that ends now, in the books and the audit; for a long one, an alarm for the log.
    `passed_s` is its length where a clock of this run has measured it."""
    book = stages.monitored_time
    if passed_s is not None:
        book.watched(now_us - int(passed_s * 1e6))
    gap = book.missed(now_us, cause)
    if gap is None:
        return []
    detail = {"from_us": gap.from_us, "until_us": gap.until_us}
    stages.audit.add(now_us, SYSTEM, "watch.gap", reason=cause, detail=detail)
    _LOG.warning("%s", describe(gap))
    if gap.seconds < ALARM_S:
        return []
    sectors, reason = tuple(stages.site.sectors), describe(gap)
    entries = []
    for active in (True, False):  # an operator acknowledges it; nothing is left to be cleared
        condition = AreaCondition(AlarmKind.GATEWAY_LOST, "site", (), sectors, active, reason)
        entries += stages.intake.append(now_us, SYSTEM, condition)
    return entries


def recent(stages: Stages, now_us: int) -> list[str]:
    """A line for each gap of the last day."""
    gaps = stages.monitored_time.gaps[-10:]
    return [describe(gap) for gap in gaps if 0 <= now_us - gap.until_us < _SHOWN_US]


def describe(gap: Gap) -> str:
    """One line, UTC."""
    begin, end = (
        time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at_us // 1_000_000))
        for at_us in (gap.from_us, gap.until_us)
    )
    return f"not monitored from {begin} to {end} UTC ({gap.seconds:.0f} s): {gap.cause}"
