# SPDX-License-Identifier: MIT
"""App: the service behind what the API needs (gateway.api.service.ServiceFacade)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.api.schema.answers import ConnectorTest
from gateway.api.service import ActResult, UpdateOrder
from gateway.audit.head import code
from gateway.broker.interface import Broker
from gateway.model import view
from gateway.model.actions.acts import Act
from gateway.model.actions.cue import CueAct
from gateway.model.actions.node_command import NodeCommand, NodeCommandKind
from gateway.model.actions.record import EXPORTED
from gateway.model.board_power import duty_of, forecast
from gateway.model.days_left import DaysLeft
from gateway.model.doubt import Doubt
from gateway.model.place.position import Position
from gateway.model.place.site import SERIAL, Site
from gateway.monitor.step import MonitorState
from gateway.node_commands.lines import NodeLog
from gateway.node_commands.snippets import Waveform
from gateway.performance.monitored_time import WalkTest
from gateway.performance.service import PerformanceService
from gateway.ports.link import Link
from gateway.ports.picture import Picture
from gateway.service.clock_quality import read_clock_quality
from gateway.service.connectors import ConnectorService
from gateway.service.connectors.shown import shown_connectors, shown_deliveries
from gateway.service.connectors.trial import test_notifier
from gateway.service.doubt_watch import DoubtWatch
from gateway.service.node_requests import NodeRequests
from gateway.service.outcome import Outcome
from gateway.service.publisher import NodeReport, Publisher
from gateway.service.reload import Reload
from gateway.service.service import Service
from gateway.service.tuning_requests import TuningRequests
from gateway.service.update_requests import UpdateRequests
from gateway.store.reader import StoreReader
from gateway.tuning.report import Confirmation, TuningReport
from gateway.updates.rollout import Rollout

_FLUSH_S = 0.2  # a console is sent changes at most so often
_FLUSHES = 16  # portions of nodes at a time
_REFUSED_SHOWN = 200
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """The running parts that are shown and asked."""

    service: Service
    broker: Broker
    links: list[Link]
    connectors: ConnectorService
    picture: Picture
    reload: Reload
    performance: PerformanceService
    updates: UpdateRequests
    node_requests: NodeRequests
    tuning: TuningRequests
    reader: StoreReader
    clock_us: Callable[[], int]
    on_duty: Callable[[], dict[str, Any]]
    warnings: Callable[[], list[str]]
    doubts: DoubtWatch


class Facade:
    """Publishes what the stages bring about, and passes on what the API is asked."""

    def __init__(self, parts: Parts) -> None:
        self.picture = parts.picture
        self._parts = parts
        self._stages = parts.service.stages
        self._publisher = Publisher(self.picture, self._stages.site, self._node, self._days_left)
        self._site = self._stages.site
        self._state = self._stages.monitor.state
        self._publisher.events(self._state.fusion.events)
        self.refresh()

    @property
    def site(self) -> Site:
        """Nodes, sectors and origin as they are now."""
        return self._stages.site

    @property
    def reader(self) -> StoreReader:
        """Reads of the store."""
        return self._parts.reader

    def clock_us(self) -> int:
        """Wall clock, UTC microseconds."""
        return self._parts.clock_us()

    def on_received(self, nodes: Iterable[str]) -> None:
        """These nodes sent something."""
        self._publisher.nodes(nodes)

    def on_outcome(self, outcome: Outcome) -> None:
        """Publish what a step of the second stage changed."""
        guard, publisher = self._stages.faults.guard, self._publisher
        with guard("picture of policy"):
            self._follow()
        with guard("picture of detections"):
            publisher.detections(outcome.detections)
        with guard("picture of events"):
            publisher.events(outcome.events)
        with guard("picture of alarms"):
            publisher.alarms(outcome.alarms)
        with guard("picture of cues"):
            publisher.cues(outcome.cues)

    async def run(self) -> None:
        """Publish what is collected, until cancelled."""
        turn = 0
        while True:
            await asyncio.sleep(_FLUSH_S)
            with self._stages.faults.watch("picture of nodes"):
                for _ in range(_FLUSHES):
                    if not self._publisher.flush():
                        break
                    await asyncio.sleep(0)  # what arrives goes first
            turn += 1
            if turn % 3 == 0:
                self.refresh()

    def refresh(self) -> None:
        """Publish everything that is no step's outcome: policy, counters, connectors and the like.
        One part that fails does not stop the others."""
        watch = self._stages.faults.watch
        with watch("picture of policy"):
            self._follow()
            self._publish_policy()
        with watch("picture of the gateway"):
            self._publish_sections()
        with watch("picture of connectors"):
            self._publish_connectors()

    def failed(self, part: str, error: Exception) -> None:
        """A fault of the API itself."""
        self._stages.faults.report(part, error)

    def _publish_sections(self) -> None:
        parts, service = self._parts, self._parts.service
        refused = self._stages.intake.refused.cells.most_common(_REFUSED_SHOWN)
        self._publisher.sections(
            {
                "counters": self._counters(),
                "refused": [
                    {"reason": reason, "node": node, "count": count}
                    for (reason, node), count in refused
                ],
                "store": {
                    "problem": service.commits.problem,
                    "failures": service.commits.failures,
                    "unstored": service.commits.unstored,
                },
                "links": [
                    {
                        "name": link.name,
                        "connected": link.connected,
                        "counters": dict(link.counters),
                    }
                    for link in parts.links
                ],
                "broker": {
                    "address": f"{parts.broker.host}:{parts.broker.port}",
                    "counters": dict(parts.broker.counters),
                },
                "on_duty": parts.on_duty(),
                "warnings": parts.warnings(),
                "clock": self._clock(),
                "doubts": self.doubts(),
            }
        )

    def _publish_connectors(self) -> None:
        parts = self._parts
        shown = {value.id for _id, value in self.picture.all(view.ALARM)}
        outbox = self._stages.outbox
        connectors = shown_connectors(parts.connectors, outbox)
        self._publisher.things(view.CONNECTOR, {one["name"]: one for one in connectors})
        deliveries = shown_deliveries(parts.connectors, outbox, shown)
        self._publisher.things(view.DELIVERY, {str(one["id"]): one for one in deliveries})

    def record(self, by: str, action: str, reason: str = "") -> None:
        """An entry of the audit that nothing waits for."""
        self._stages.audit.add(self.clock_us(), by, action, reason=reason)

    async def act(self, act: Act | CueAct, key: str = "") -> ActResult:
        """Stored when this returns; the same key of the same person acts once."""
        result = await self._parts.service.act(act, key)
        return ActResult(result.done, result.problem)

    async def reload(self, by: str) -> list[str]:
        """What has changed. Raises ConfigError."""
        changed = await self._parts.reload.load(by)
        self.refresh()
        return changed

    async def place_node(self, node: str, position: Position, sector: str, by: str) -> list[str]:
        """Write the position to site.toml, and use it. Raises ConfigError."""
        changed = await self._parts.reload.place_node(by, node, position, sector)
        self.refresh()
        return changed

    def doubts(self) -> list[Doubt]:
        """What a person must confirm."""
        return list(self._stages.doubts.open.values())

    async def confirm_doubt(self, name: str, by: str, reason: str) -> Doubt:
        """A person vouches for it. Raises ConfigError."""
        doubt = await self._parts.doubts.confirm(name, by, reason)
        self.refresh()
        return doubt

    async def measured(self, days: int) -> dict[str, Any]:
        """Measured performance."""
        return await self._parts.performance.measured(days)

    def walk_tests(self) -> list[WalkTest]:
        """Walk tests that were announced."""
        return list(self._stages.monitored_time.walk_tests.values())

    async def test_connector(self, name: str, by: str) -> ConnectorTest:
        """Send a test notification. Raises ConfigError."""
        delivered, answer = await test_notifier(
            self._parts.service, self._parts.connectors, name, by
        )
        self.refresh()
        return ConnectorTest(connector=name, delivered=delivered, answer=answer)

    async def begin_update(self, order: UpdateOrder, by: str) -> Rollout:
        """Start to bring a release to nodes. Raises ConfigError."""
        return await self._parts.updates.begin(
            Path(order.file),
            order.waves,
            order.max_failures,
            order.soak_s,
            order.node_timeout_s,
            by,
        )

    async def stop_update(self, reason: str, by: str) -> Rollout:
        """End the update under way. Raises ConfigError."""
        return await self._parts.updates.stop(reason, by)

    def update(self) -> Rollout | None:
        """The newest update."""
        return self._stages.updates.rollout

    async def command_node(
        self,
        node: str,
        kind: NodeCommandKind,
        by: str,
        reason: str,
        minutes: int | None,
        value: int | None,
        settings: dict[str, int] | None = None,
    ) -> NodeCommand:
        """Order a command. Raises ConfigError."""
        requests = self._parts.node_requests
        wait_us = None if minutes is None else minutes * _MINUTE_US
        return await requests.order(node, kind, by, reason, wait_us, value, settings)

    def node_commands(self, node: str) -> list[NodeCommand]:
        """Commands to a node."""
        return self._parts.node_requests.of(node)

    def node_command(self, number: int) -> NodeCommand | None:
        """One command."""
        return self._parts.node_requests.find(number)

    async def waveform(self, command: NodeCommand) -> Waveform | None:
        """What the node sent in answer to a snippet command. Raises StoreError."""
        return await self._parts.node_requests.waveform(command)

    async def node_log(self, command: NodeCommand) -> NodeLog | None:
        """What the node sent in answer to a log command. Raises StoreError."""
        return await self._parts.node_requests.log(command)

    async def tuning(self, weeks: int) -> TuningReport:
        """Unwanted detections of each node and proposals. Raises ConfigError, StoreError."""
        return await self._parts.tuning.report(weeks)

    async def tune_node(self, node: str, given: Confirmation, by: str) -> NodeCommand:
        """Order what is proposed for a node. Raises ConfigError, StoreError."""
        return await self._parts.tuning.apply(node, given, by)

    async def record_export(self, alarm_id: int, by: str, reason: str) -> None:
        """The audit's entry is stored when this returns."""
        await self._parts.service.record(by, EXPORTED, f"alarm {alarm_id}", reason)

    def _node(self, name: str) -> tuple[NodeReport, Sequence[tuple[int, int, int]]]:
        intake = self._stages.intake
        return intake.registry.views[name], intake.completeness.gaps(name)

    def _days_left(self, name: str) -> DaysLeft | None:
        intake = self._stages.intake
        node, report = self._stages.site.nodes[name], intake.registry.views[name]
        used_s = None
        if node.battery_since_us is not None and report.last_seen_us is not None:
            used_s = (report.last_seen_us - node.battery_since_us) / 1e6
        # On a wire the gateway's computer feeds the node.
        is_wired = node.link == SERIAL
        duty = duty_of(report.board, report.radio_share, report.contact_s > 0, report.asleep_share)
        trend = self._stages.batteries.trend(name)
        return None if is_wired else forecast(trend, node.battery_wh, used_s, duty)

    def _follow(self) -> None:
        """The site may have grown, and what people ordered may have changed."""
        if self._stages.site is not self._site:
            self._site = self._stages.site
            self._publisher.site(self._site)
        before, self._state = self._state, self._stages.monitor.state
        if before.fusion.contacts is not self._state.fusion.contacts:
            self._publisher.contacts(self._state.fusion.contacts)
        if before is not self._state and _orders(before) != _orders(self._state):
            self._publish_policy()

    def _publish_policy(self) -> None:
        state = self._stages.monitor.state
        self._publisher.policy(state.alarms, state.policy.alarms, self.clock_us())

    def _clock(self) -> dict[str, Any]:
        quality = read_clock_quality()
        # To the next 10 ms: the kernel's figure grows all the time, by 0.5 ms a second.
        known = quality.max_error_ms
        error_ms = None if known is None else 10 * math.ceil(known / 10)
        return {"synchronised": quality.synchronised, "max_error_ms": error_ms}

    def _counters(self) -> dict[str, Any]:
        parts, service, intake = self._parts, self._parts.service, self._stages.intake
        number, link = self._stages.audit.head
        return {
            "messages": intake.messages,
            "detections": intake.detections,
            "alarms": self._stages.monitor.state.alarms.last_id,
            "duplicates": intake.registry.duplicates,
            "refused": sum(intake.refused.cells.values()),
            "queue_dropped": sum(one.counters["queue_full"] for one in parts.links),
            "queued": service.intake_stage.queued,
            "down_unsent": service.intake_stage.down_unsent,
            "commits": service.commits.made,
            "faults": self._faults(),
            "audit": f"{number}:{code(link)}",  # for the paper log
        }

    def _faults(self) -> int:
        """Faults of our own: steps rolled back, fits that failed, parts that failed."""
        stages = self._stages
        return (
            stages.faults.counts.total()
            + stages.monitor.failures
            + stages.monitor.state.fusion.failures
        )


def _orders(state: MonitorState) -> tuple[int, ...]:
    """The same as long as masks, walks, arming and policy are; by identity: it is asked often."""
    alarms = state.alarms
    return id(alarms.masks), id(alarms.walks), id(alarms.overrides), id(state.policy)
