# SPDX-License-Identifier: MIT
"""Service: what `groundwatch model tune` asks of the running gateway: the report, and a confirmed
change of one node's threshold. Command and audit entry are stored in one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from gateway.errors import ConfigError
from gateway.model.actions.node_command import NodeCommand, NodeCommandKind
from gateway.model.node_settings import THRESHOLD_X10
from gateway.service.node_requests import NodeRequests
from gateway.service.running.intake_stage import Work
from gateway.service.service import Service
from gateway.store.choose import reading
from gateway.tuning.bounds import DAY_US, MAX_DAYS, MAX_WEEKS
from gateway.tuning.measure import measure
from gateway.tuning.propose import Action
from gateway.tuning.records import SET, read
from gateway.tuning.report import Confirmation, NodeQuiet, TuningReport

_LOST_SHOWN = 100  # in the audit entry; the number of all is there too


class TuningRequests:
    """`where` is the store, which is read over a connection of its own."""

    def __init__(
        self,
        service: Service,
        requests: NodeRequests,
        where: Path | str,
        clock_us: Callable[[], int],
    ) -> None:
        self._service = service
        self._requests = requests
        self._where = where
        self._clock_us = clock_us
        self._one = asyncio.Lock()  # weeks of detections are work: one report at a time

    async def report(self, weeks: int) -> TuningReport:
        """Of the last weeks. Raises ConfigError, StoreError."""
        if not 1 <= weeks <= MAX_WEEKS:
            raise ConfigError(f"weeks must be 1 to {MAX_WEEKS}")
        now_us = self._clock_us()

        def work() -> TuningReport:
            with reading(self._where) as db:
                records = read(db, now_us - 7 * weeks * DAY_US, now_us)
            return measure(records)

        async with self._one:
            return await asyncio.to_thread(work)

    async def apply(self, node: str, given: Confirmation, by: str) -> NodeCommand:
        """Order the proposed threshold. Raises ConfigError where it is not what is proposed now."""
        if not 1 <= given.days <= MAX_DAYS:
            raise ConfigError(f"days must be 1 to {MAX_DAYS}")
        if node not in self._service.stages.site.nodes:
            raise ConfigError(f"there is no node {node[:32]!r}")
        # The report holds what nodes have answered so far; `_begin` checks what they answer later.
        since_us = self._clock_us()
        await self._service.flush()
        report = await self.report(given.weeks)
        found = next((one for one in report.nodes if one.node == node), None)
        if found is None:
            raise ConfigError(f"the store holds nothing of {node} yet")
        _check(found, given)

        def work(now_us: int) -> Work:
            return Work((), self._begin(now_us, since_us, found, given, by))

        answer: NodeCommand | str = await self._service.intake_stage.request(work)
        if isinstance(answer, str):
            raise ConfigError(answer)
        return answer

    def _begin(
        self, now_us: int, since_us: int, found: NodeQuiet, given: Confirmation, by: str
    ) -> NodeCommand | str:
        kind, node = NodeCommandKind.CONFIGURE, found.node
        others = [one for one in self._requests.of(node) if one.kind is kind]
        if any(not one.state.final for one in others):
            return f"a configure command to {node} is open: wait until it has ended"
        if any(one.ended_us >= since_us for one in others):
            return f"{node} was configured just now: look at its proposal again"
        settings = {THRESHOLD_X10.name: given.threshold_x10}
        command = self._requests.begin(now_us, node, kind, by, given.reason, None, None, settings)
        if isinstance(command, str):
            return command
        goes_back = found.proposal.action is Action.RETURN and not _is_kept(found, given)
        until_us = None if goes_back else now_us + given.days * DAY_US
        base_x10 = found.threshold_x10 if found.tuning is None else found.tuning.base_x10
        lost = () if _is_kept(found, given) else found.proposal.lost
        detail = {
            "node": node,
            "before_x10": found.threshold_x10,
            "after_x10": given.threshold_x10,
            "base_x10": base_x10,
            "who": given.who,
            "command_id": command.id,
            "evidence": found.proposal.why,
            "removed": 0 if _is_kept(found, given) else found.proposal.removed,
            "lost_count": len(lost),
            "lost": [f"{one.node}/{one.boot}/{one.onset_ms}" for one in lost[:_LOST_SHOWN]],
        }
        audit = self._service.stages.audit
        audit.add(now_us, by, SET, f"node {node}", given.reason, until_us, detail)
        return command


def _is_kept(found: NodeQuiet, given: Confirmation) -> bool:
    """A tuning that is over is confirmed once more as it is."""
    is_over = found.proposal.action is Action.RETURN
    return is_over and given.threshold_x10 == found.threshold_x10 and not given.accept_lost


def _check(found: NodeQuiet, given: Confirmation) -> None:
    node, proposal = found.node, found.proposal
    if _is_kept(found, given):
        return
    if proposal.action is Action.NONE or proposal.threshold_x10 is None:
        raise ConfigError(f"no change of {node} is proposed: {proposal.why}")
    if proposal.threshold_x10 != given.threshold_x10:
        raise ConfigError(
            f"the proposal for {node} is threshold {proposal.threshold_x10}, "
            f"not {given.threshold_x10}: look at it again"
        )
    if len(proposal.lost) != given.accept_lost:
        raise ConfigError(
            f"confirmed detections of {node} that would have been lost: {len(proposal.lost)}; "
            "give exactly this number as accept_lost"
        )
