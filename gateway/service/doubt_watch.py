# SPDX-License-Identifier: MIT
"""Service: the clock is compared all the time, the store at a start; a doubt is an alarm until a
person confirms it or it is over by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from gateway.audit.clock import GatewayClock, Reading, shown, shown_gap
from gateway.audit.continuity import Difference
from gateway.audit.doubts import CLOCK_DOUBT, STORE_DOUBT
from gateway.errors import ConfigError
from gateway.intake.downlink import floor_at
from gateway.model.actions.record import SYSTEM
from gateway.model.alarm import AlarmKind
from gateway.model.doubt import Doubt
from gateway.model.entry import Entry
from gateway.model.observation import AreaCondition
from gateway.service.running.intake_stage import Work
from gateway.service.service import Service
from gateway.service.stages import Stages
from gateway.service.watch.gaps import CONFIRMED, record_gap

_LOG = logging.getLogger(__name__)
PERIOD_S = 0.5


def resume(stages: Stages, finding: Difference | None, skipped: int, now_us: int) -> None:
    """Before the first step of a run. If the store is not the one that ran last, the audit goes on
    after its head, counters of messages to nodes and numbers of alarms are skipped, and the doubt
    is recorded."""
    stages.intake.downlinks.start_above(floor_at(now_us))  # what is skipped comes on top
    if finding is None:
        if stages.intake.downlinks.skip_due:
            stages.intake.downlinks.skip(skipped)
            stages.monitor.skip_numbers(now_us)
        return
    if finding.head is not None:
        stages.audit.go_on_from(finding.head)
    stages.intake.downlinks.skip(skipped)
    stages.monitor.skip_numbers(now_us)
    detail = {**finding.detail, "counters_skipped": skipped}
    stages.doubts.begin(now_us, STORE_DOUBT, finding.text, detail)
    _LOG.error("%s: %s", STORE_DOUBT, finding.text)


class DoubtWatch:
    """`run` until cancelled. `check` compares the clocks once; call it once before a run too."""

    def __init__(self, clock: GatewayClock, service: Service) -> None:
        self._clock = clock
        self._service = service
        self._stages = service.stages
        self._raised: set[str] = set()  # doubts of which the log of this run has an entry

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.check()
            await asyncio.sleep(PERIOD_S)

    def check(self) -> None:
        """Begin or end the doubt about the clock, and have the alarms follow."""
        reading, doubts = self._clock.read(), self._stages.doubts
        now_us = reading.gateway_us
        if reading.doubted and CLOCK_DOUBT not in doubts.open:
            line = _line(reading)
            doubts.begin(now_us, CLOCK_DOUBT, line, _detail(reading))
            _LOG.error("%s: %s", CLOCK_DOUBT, line)
        elif not reading.doubted and doubts.end(now_us, CLOCK_DOUBT):
            _LOG.warning("%s: the computer's clock agrees with the records again", CLOCK_DOUBT)
            self._post(CLOCK_DOUBT, "", False)
        for doubt in doubts.open.values():
            if doubt.id not in self._raised:
                self._raised.add(doubt.id)
                self._post(doubt.id, doubt.text, True)
        doubts.note_time(now_us)

    async def confirm(self, name: str, by: str, reason: str) -> Doubt:
        """A person vouches for it; stored when this returns. Raises ConfigError."""
        doubt = self._stages.doubts.open.get(name)
        if doubt is None:
            raise ConfigError(f"there is no doubt about the {name[:32]!r}: nothing to confirm")

        def work(now_us: int) -> Work:
            doubts = self._stages.doubts
            if name not in doubts.open:  # it ended while this waited
                return Work()
            detail: dict[str, int] = {}
            entries: list[Entry] = []
            if name == CLOCK_DOUBT:
                reading = self._clock.confirm()
                now_us, detail = reading.computer_us, _detail(reading)
                if reading.gap_us > 0:  # this gateway did not monitor in the time that is skipped
                    entries = record_gap(self._stages, now_us, CONFIRMED, reading.gap_us / 1e6)
            doubts.end(now_us, name, by, reason, detail)
            doubts.note_time(now_us, at_once=True)
            self._raised.discard(name)
            return Work([*entries, *self._entries(now_us, name, "", False)])

        await self._service.intake_stage.request(work)
        _LOG.warning("%s: confirmed by %s", name, by)
        return doubt

    def _post(self, name: str, line: str, active: bool) -> None:
        if not active:
            self._raised.discard(name)
        self._service.intake_stage.post(
            lambda now_us: Work(self._entries(now_us, name, line, active))
        )

    def _entries(self, now_us: int, name: str, line: str, active: bool) -> Sequence[Entry]:
        sectors = tuple(sorted({node.sector for node in self._stages.site.nodes.values()}))
        condition = AreaCondition(AlarmKind.GATEWAY_FAULT, name, (), sectors, active, line)
        return self._stages.intake.append(now_us, SYSTEM, condition)


def _line(reading: Reading) -> str:
    return (
        f"the computer's clock shows {shown(reading.computer_us)}, {shown_gap(reading.gap_us)} "
        f"the records; the gateway goes by {shown(reading.gateway_us)} until a person confirms "
        "the clock or it is corrected; nothing is erased"
    )


def _detail(reading: Reading) -> dict[str, int]:
    return {"computer_us": reading.computer_us, "gateway_us": reading.gateway_us}
