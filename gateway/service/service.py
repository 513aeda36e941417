# SPDX-License-Identifier: MIT
"""Service: both stages running over one store, and what may be asked of them while they do.

`async with Service(...)` and `run()`; everything that changes the stages goes through here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.config.retention import RecordClass, Retention
from gateway.enrolment import Entry as EnrolmentEntry
from gateway.errors import ConfigError, StoreError
from gateway.keys import KeyRing
from gateway.model.actions.acts import Act
from gateway.model.actions.cue import CueAct, CueReport, CueState, DevicesLost
from gateway.model.actions.record import SYSTEM
from gateway.model.observation import FromConnector
from gateway.outbox.outbox import Delivery, Status
from gateway.ports.link import Clock
from gateway.service.outcome import Outcome
from gateway.service.records.act_keys import DONE, PENDING
from gateway.service.records.policy_record import NewPolicy, by_subject
from gateway.service.records.retention_timer import RetentionTimer
from gateway.service.running.commits import Commits
from gateway.service.running.committer import Committer
from gateway.service.running.intake_stage import IntakeStage, Work
from gateway.service.running.monitor_stage import MonitorStage
from gateway.service.stages import Stages
from gateway.service.supervision import Supervisor
from gateway.store.interface import Expired, Store, Writes
from gateway.updates.package import Release
from gateway.updates.rollout import Rollout

_LOG = logging.getLogger(__name__)
_RETENTION_S = 0.5  # how often it is asked whether records are due to be erased
_PORTION_S = 0.05  # between two portions


class ActResult(NamedTuple):
    """`done`: the act was possible, else `problem` may state why not. `repeated`: it was received
    before with the same key."""

    done: bool
    repeated: bool = False
    problem: str = ""


class Service:
    """`on_committed` is called where a commit was made; `on_received` (nodes) and `on_outcome` in
    the event loop."""

    def __init__(
        self,
        stages: Stages,
        store: Store,
        clock_us: Clock,
        on_outcome: Callable[[Outcome], None],
        on_committed: Callable[[Writes], None] = lambda _writes: None,
        on_received: Callable[[Iterable[str]], None] = lambda _nodes: None,
        retention: Retention | None = None,
    ) -> None:
        self.stages = stages
        self.clock_us = clock_us
        self.started = asyncio.Event()  # from here on the end of `run` makes the last commit
        self.supervisor = Supervisor(stages.faults.report)
        self._closed = False
        self._store = store
        self._committer = Committer(store, on_committed)
        self._retention = RetentionTimer(retention or Retention())
        self.commits = Commits(stages, self._committer, clock_us)
        self.monitor_stage = MonitorStage(
            stages, self.commits, self._committer, store, clock_us, on_outcome
        )
        self.intake_stage = IntakeStage(
            stages, self.commits, clock_us, self.monitor_stage.hand_over, on_received
        )
        self._on_outcome = on_outcome

    def start(self) -> None:
        """Process what an earlier run left in the log, and start this run. Raises StoreError."""
        for outcome in self.monitor_stage.catch_up():
            with self.stages.faults.guard("publishing"):
                self._on_outcome(outcome)
        entries = self.stages.start(self.clock_us())
        moving = (CueState.SENT, CueState.EXECUTING)
        if any(cue.state in moving for cue in self.stages.monitor.state.cues.open.values()):
            entries += self.stages.intake.append(self.clock_us(), SYSTEM, DevicesLost())
        self.monitor_stage.hand_over(entries)

    async def run(self) -> None:
        """Until cancelled; a stage that a fault of our own ends is started again."""
        try:
            self.started.set()
            async with asyncio.TaskGroup() as tasks:
                for name, run in (
                    ("intake", self.intake_stage.run),
                    ("monitor", self.monitor_stage.run),
                    ("retention", self._erase),
                ):
                    tasks.create_task(self.supervisor.keep_up(name, run), name=name)
        finally:
            await asyncio.shield(self.close())

    async def close(self) -> None:
        """What was stepped is committed; also of a gateway that ends before it ran at all."""
        if not self._closed:
            self._closed = True
            if self.started.is_set():
                self.stages.monitored_time.watched(self.clock_us())
            await self.commits.commit(everything=True)
            self._committer.close()

    async def act(self, act: Act | CueAct, key: str = "") -> ActResult:
        """What a person or a connector does; committed when this returns. With a key, the same act
        of the same actor acts once."""
        stages, keys, monitor = self.stages, self.stages.act_keys, self.monitor_stage

        def work(now_us: int) -> Work:
            # Only now: the same key may have been waiting before this one.
            known = keys.find(act.by, key) if key else None
            over = known is not None and stages.monitor.cursor >= known.log_id
            if known is not None and (known.done != PENDING or over):
                return Work((), ActResult(known.done == DONE, repeated=True))
            if known is not None:
                return Work((), (monitor.outcome_of(known.log_id), True))
            entries = stages.intake.append(now_us, act.by, act)
            if key:
                keys.add(now_us, act.by, key, entries[0].id)
            return Work(entries, (monitor.outcome_of(entries[0].id), False))

        answer = await self.intake_stage.request(work)
        if isinstance(answer, ActResult):
            return answer
        future, repeated = answer
        # Several may wait for it, and one of them may give up.
        outcome: Outcome = await asyncio.shield(future)
        return ActResult(outcome.done, repeated, outcome.problem)

    async def observe(self, observations: Sequence[FromConnector]) -> None:
        """What a connector observed; stored when this returns. Its `source` is its provenance."""

        def work(now_us: int) -> Work:
            append = self.stages.intake.append
            return Work([e for one in observations for e in append(now_us, one.source, one)])

        await self.intake_stage.request(work)

    def report_cue(self, report: CueReport) -> None:
        """What a device did. Bounded by the cues that are open."""
        append = self.stages.intake.append
        self.intake_stage.post(lambda now_us: Work(append(now_us, SYSTEM, report)))

    async def set_policy(self, by: str, given: Callable[[], NewPolicy]) -> list[str]:
        """Another policy from now on, recorded under the name `by`; changed subjects. `given` is
        called at its turn: a key may have been revoked since."""

        def work(now_us: int) -> Work:
            return Work(*self.stages.set_policy(now_us, by, given()))

        changed: list[str] = await self.intake_stage.request(work)
        return changed

    def note_policy(self, by: str, outputs: Mapping[str, Any]) -> None:
        """The gateway starts: what is in force, and what is different from when it last ran.
        `outputs` are by subject, without secrets."""
        now = {**by_subject(self.stages.policy), **outputs}
        self.stages.policies.note(self.clock_us(), by, now)

    def enrol(self, entries: Sequence[EnrolmentEntry], keys: Mapping[str, KeyRing]) -> None:
        """The enrolment log as it stands now. Raises ConfigError when its end was cut off."""
        self.stages.enrolment.take(entries, self.clock_us())
        self.stages.intake.set_keys(keys)

    def failed_login(self, user: str, knew_password: bool) -> None:
        """The broker refused a login."""
        intake = self.stages.intake
        self.intake_stage.post(
            lambda now_us: Work(intake.failed_login(now_us, user, knew_password))
        )

    def settle_delivery(self, number: int, status: Status, attempts: int, words: str) -> None:
        """What became of a delivery; `words` are the receipt or the problem."""

        def work(now_us: int) -> Work:
            self.stages.outbox.settle(now_us, number, status, attempts, words)
            return Work()

        self.intake_stage.post(work)

    async def test_output(self, name: str, by: str) -> list[Delivery]:
        """A test notification to each recipient, recorded. Raises ConfigError while one is under
        way."""

        def work(now_us: int) -> Work:
            deliveries = self.stages.outbox.test(name, by, now_us)
            if deliveries:
                self.stages.audit.add(now_us, by, "output.test", f"output {name}")
            return Work((), deliveries)

        deliveries: list[Delivery] = await self.intake_stage.request(work)
        if not deliveries:
            raise ConfigError(f"a test of {name} is under way: wait for it")
        return deliveries

    async def record(self, by: str, action: str, subject: str, reason: str = "") -> None:
        """An entry of the audit, committed when this returns."""

        def work(now_us: int) -> Work:
            self.stages.audit.add(now_us, by, action, subject, reason)
            return Work()

        await self.intake_stage.request(work)

    async def flush(self) -> None:
        """What was posted before is committed when this returns."""
        await self.intake_stage.request(lambda _now_us: Work())

    async def begin_update(self, rollout: Rollout, release: Release) -> bool:
        """Start a rollout; False when there is an objection."""
        stages = self.stages

        def work(now_us: int) -> Work:
            firmware = stages.intake.registry.firmware()
            if stages.updates.objection(rollout, firmware):
                return Work((), False)
            effects = stages.updates.begin(now_us, rollout, release, firmware)
            return Work(stages.apply(effects, now_us), True)

        is_started: bool = await self.intake_stage.request(work)
        return is_started

    async def stop_update(self, by: str, reason: str) -> bool:
        """End it; False when there was none."""
        updates = self.stages.updates
        stopped: bool = await self.intake_stage.request(
            lambda now_us: Work((), updates.stop(now_us, by, reason))
        )
        return stopped

    async def alarms_since(self, raised_us: int, limit: int) -> list[str]:
        """JSON of alarms raised since then, newest first; read between two commits.

        Raises StoreError.
        """
        return await self._committer.call(self._store.alarms_since, raised_us, limit)

    async def _erase(self) -> None:
        """What is older than it may be goes with the next commit, a portion of it."""
        expired: Mapping[RecordClass, Expired] = {}
        while True:
            await asyncio.sleep(_PORTION_S if expired else _RETENTION_S)
            doubted = self.stages.doubts.open
            if doubted or self.commits.problem or not self._retention.due(self.clock_us()):
                continue
            now_us, store = self.clock_us(), self._store
            try:
                cuts = self._retention.retention.cuts(now_us)
                expired = await asyncio.to_thread(store.expired, cuts)
                self.stages.eraser.step(now_us, expired)
                self._retention.looked(now_us, bool(expired))
                if self._retention.untidy and not expired:
                    self._retention.untidy = not await self._committer.call(store.tidy)
            except StoreError as error:
                expired = {}
                self._retention.looked(now_us, False)
                _LOG.error("cannot erase what is older than it may be: %s", error)
