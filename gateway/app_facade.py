# SPDX-License-Identifier: MIT
"""App: today's pipeline behind what the API needs (gateway.api.service.ServiceFacade)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.api.service import ActResult, ConnectorTest, UpdateOrder
from gateway.audit.head import code
from gateway.broker.interface import Broker
from gateway.intake.roster import NodeView
from gateway.intake.writer import Writer
from gateway.links.interface import Link
from gateway.model import view
from gateway.model.acts import Act
from gateway.model.event import Event
from gateway.model.identity import Identity
from gateway.model.site import Site
from gateway.outputs.desk import OutputDesk
from gateway.outputs.orders import OutputOrders
from gateway.performance.desk import PerformanceDesk
from gateway.performance.watch import WalkTest
from gateway.pipeline import Outcome, Pipeline
from gateway.ports.picture import Picture
from gateway.reload.load import Reload
from gateway.service.publisher import Publisher
from gateway.store.reader import StoreReader
from gateway.updates.orders import UpdateOrders
from gateway.updates.rollout import Rollout

_FLUSH_S = 0.2  # a console is sent changes at most so often
_REFUSED_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Parts:
    """The running parts that are shown and asked."""

    pipeline: Pipeline
    writer: Writer
    broker: Broker
    links: list[Link]
    outputs: OutputDesk
    reload: Reload
    performance: PerformanceDesk
    updates: UpdateOrders
    reader: StoreReader
    clock_us: Callable[[], int]
    on_duty: Callable[[], dict[str, Any]]
    warnings: Callable[[], list[str]]


class PipelineFacade:
    """Publishes what the pipeline's steps bring about; acts go the pipeline's way."""

    def __init__(self, parts: Parts) -> None:
        self.picture = Picture()
        self._parts = parts
        self._outputs = OutputOrders(parts.pipeline, parts.writer, parts.outputs)
        self._publisher = Publisher(self.picture, parts.pipeline.site, self._node)
        self._site = parts.pipeline.site
        self._events: tuple[Event, ...] = ()
        self._orders: tuple[object, ...] = ()
        self.refresh()

    @property
    def site(self) -> Site:
        """Nodes, sectors and origin as they are now."""
        return self._parts.pipeline.site

    @property
    def reader(self) -> StoreReader:
        """Reads of the store."""
        return self._parts.reader

    def clock_us(self) -> int:
        """Wall clock, UTC microseconds."""
        return self._parts.clock_us()

    def on_outcome(self, outcome: Outcome) -> None:
        """Publish what a step brought about."""
        self._follow()
        if outcome.node:
            self._publisher.nodes((outcome.node,))
        self._publisher.detections(outcome.detections)
        self._publisher.alarms(outcome.alarms)

    async def run(self) -> None:
        """Publish what is collected, until cancelled."""
        turn = 0
        while True:
            await asyncio.sleep(_FLUSH_S)
            self._publisher.flush()
            turn += 1
            if turn % 3 == 0:
                self.refresh()

    def refresh(self) -> None:
        """Publish everything that is no step's outcome: counters, store, links, connectors."""
        self._follow()
        parts, pipeline = self._parts, self._parts.pipeline
        now_us = self.clock_us()
        self._publisher.policy(pipeline.alarms, pipeline.alarm_rules, now_us)
        self._publisher.sections(
            {
                "counters": self._counters(),
                "refused": [
                    {"reason": reason, "node": node, "count": count}
                    for (reason, node), count in pipeline.refused.cells.most_common(_REFUSED_SHOWN)
                ],
                "store": {
                    "problem": parts.writer.store_problem,
                    "failures": parts.writer.store_failures,
                    "unstored": parts.writer.unstored,
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
            }
        )
        shown = {value.id for _id, value in self.picture.all(view.ALARM)}
        outputs = parts.outputs.snapshot(shown)
        self._publisher.things(view.CONNECTOR, {one["name"]: one for one in outputs["channels"]})
        deliveries = {str(one["id"]): one for one in outputs["deliveries"]}
        self._publisher.things(view.DELIVERY, deliveries)
        self._publisher.sections({"home_assistant": outputs["home_assistant"] or {}})

    def record(self, by: str, action: str, reason: str = "") -> None:
        """An entry of the audit that nothing waits for."""
        self._parts.pipeline.audit.add(self.clock_us(), by, action, reason=reason)

    async def act(self, act: Act, key: str = "") -> ActResult:
        """Stored when this returns; the API remembers keys for this run of the gateway."""
        return ActResult((await self._parts.writer.act(act)).done)

    async def confirm_cue(self, cue_id: int, by: Identity, key: str = "") -> ActResult:
        """No device takes cues yet."""
        return ActResult(False, f"there is no cue {cue_id}")

    async def withdraw_cue(
        self, cue_id: int, by: Identity, reason: str, key: str = ""
    ) -> ActResult:
        """No device takes cues yet."""
        return ActResult(False, f"there is no cue {cue_id}")

    async def reload(self, by: str) -> list[str]:
        """What has changed. Raises ConfigError."""
        changed = await self._parts.reload.load(by)
        self.refresh()
        return changed

    async def measured(self, days: int) -> dict[str, Any]:
        """Measured performance."""
        return await self._parts.performance.measured(days)

    def walk_tests(self) -> list[WalkTest]:
        """Walk tests that were announced."""
        return list(self._parts.pipeline.watch.walk_tests.values())

    async def test_connector(self, name: str, by: str) -> ConnectorTest:
        """Send a test notification. Raises ConfigError."""
        found = await self._outputs.test(name, by)
        self.refresh()
        return ConnectorTest(connector=name, delivered=found["delivered"], answer=found["answer"])

    async def begin_update(self, order: UpdateOrder, by: str) -> Rollout:
        """Start to bring a release to nodes. Raises ConfigError."""
        return await self._parts.updates.begin(
            Path(order.file), order.waves, order.max_failures, order.soak_s, order.patience_s, by
        )

    async def stop_update(self, reason: str, by: str) -> Rollout:
        """End the update under way. Raises ConfigError."""
        return await self._parts.updates.stop(reason, by)

    def update(self) -> Rollout | None:
        """The newest update."""
        return self._parts.pipeline.updates.rollout

    async def record_export(self, alarm_id: int, by: str, reason: str) -> None:
        """The audit's entry is stored when this returns."""
        await self._parts.writer.request(
            lambda now_us: self._parts.pipeline.exported(now_us, by, alarm_id, reason)
        )

    def _node(self, name: str) -> tuple[NodeView, list[tuple[int, int, int]]]:
        pipeline = self._parts.pipeline
        return pipeline.roster.views[name], pipeline.gaps(name)

    def _follow(self) -> None:
        """The site may have grown, events and orders may have changed."""
        pipeline = self._parts.pipeline
        if pipeline.site is not self._site:
            self._site = pipeline.site
            self._publisher.site(self._site)
        before, self._events = self._events, pipeline.fusion.events
        if before is not self._events:
            known = {event.id: event for event in before}
            changed = [e for e in self._events if known.get(e.id) is not e]
            self._publisher.events(changed, known.keys() - {e.id for e in self._events})
        state, rules = pipeline.alarms, pipeline.alarm_rules
        orders = (state.masks, state.walks, state.overrides, rules)
        if any(a is not b for a, b in zip(orders, self._orders, strict=False)):
            self._publisher.policy(state, rules, self.clock_us())
        self._orders = orders

    def _counters(self) -> dict[str, Any]:
        parts, pipeline = self._parts, self._parts.pipeline
        number, link = pipeline.audit.head
        return {
            "messages": pipeline.messages,
            "detections": pipeline.detections,
            "alarms": pipeline.alarms_raised,
            "duplicates": pipeline.duplicates,
            "refused": sum(pipeline.refused.cells.values()),
            "queue_dropped": sum(one.counters["queue_full"] for one in parts.links),
            "queued": parts.writer.queued,
            "down_unsent": parts.writer.down_unsent,
            "commits": parts.writer.commits,
            "audit": f"{number}:{code(link)}",  # for the paper log
        }
