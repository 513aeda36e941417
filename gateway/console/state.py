# SPDX-License-Identifier: MIT
"""The window: everything the page shows, as one JSON value."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from gateway.alarms import AlarmRules
from gateway.alarms.state import queue as queue_of
from gateway.audit.head import code
from gateway.broker.interface import Broker
from gateway.console.orders import orders_shown
from gateway.intake.writer import Writer
from gateway.links.interface import Link
from gateway.model import text
from gateway.model.alarm import Alarm
from gateway.pipeline import Outcome, Pipeline

_OPEN_SHOWN = 200  # of the queue, and all that are active: a long weekend's alarms are megabytes
_RECENT_ALARMS = 50
_RECENT_DETECTIONS = 40
_REFUSED_SHOWN = 200


class ConsoleState:
    """Reads the running parts; `version` grows whenever the page should look again."""

    def __init__(
        self,
        pipeline: Pipeline,
        writer: Writer,
        broker: Broker,
        links: list[Link],
        clock: Callable[[], int],
        sign_on: Callable[[], dict[str, Any]],
        warnings: Callable[[], list[str]] = list,
        outputs: Callable[[Collection[int]], dict[str, Any]] = lambda _alarms: {},
    ) -> None:
        self.version = 0
        self._pipeline = pipeline
        self._writer = writer
        self._broker = broker
        self._links = links
        self.now_us = clock
        self._sign_on = sign_on
        self._warnings = warnings
        self._outputs = outputs
        self._detections: deque[dict[str, Any]] = deque(maxlen=_RECENT_DETECTIONS)

    def on_outcome(self, outcome: Outcome) -> None:
        """Remember what the page shows of it."""
        for detection in outcome.detections:
            self._detections.append(
                {
                    **text.detection_line(detection),
                    "phase": detection.phase.label,
                    "peak_um_s": detection.peak_um_s,
                    "onset_us": detection.onset_us,
                }
            )
        self.version += 1

    @property
    def alarm_rules(self) -> AlarmRules:
        """Standing orders of the site."""
        return self._pipeline.alarm_rules

    def snapshot(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        pipeline, writer = self._pipeline, self._writer
        queue = queue_of(pipeline.alarms.open)
        shown = queue[:_OPEN_SHOWN] + [alarm for alarm in queue[_OPEN_SHOWN:] if alarm.active]
        past = pipeline.alarms.closed[: -_RECENT_ALARMS - 1 : -1]
        number, link = pipeline.audit.head
        return {
            "now_us": self.now_us(),
            "site": _site(pipeline),
            "alarms": [_alarm(alarm) for alarm in shown],
            "alarms_waiting": len(queue) - len(shown),
            "past": [_alarm(alarm) for alarm in past],
            "orders": orders_shown(pipeline, self.now_us()),
            "on_watch": self._sign_on(),
            "detections": list(self._detections)[::-1],
            "nodes": {
                node: {**pipeline.roster.save(node), "gaps": pipeline.gaps(node)}
                for node in pipeline.site.nodes
            },
            "events": [
                {
                    "id": e.id,
                    "x_m": e.x_m,
                    "y_m": e.y_m,
                    "class": e.target.label,
                    "nodes": list(e.nodes),
                    "confirmed": e.confirmed,
                }
                for e in pipeline.fusion.events
            ],
            "counters": {
                "messages": pipeline.messages,
                "detections": pipeline.detections,
                "alarms": pipeline.alarms_raised,
                "duplicates": pipeline.duplicates,
                "refused": sum(pipeline.refused.cells.values()),
                "queue_dropped": sum(link.counters["queue_full"] for link in self._links),
                "queued": writer.queued,
                "down_unsent": writer.down_unsent,
                "commits": writer.commits,
                "audit": f"{number}:{code(link)}",  # for the paper log
            },
            "refused": [
                {"reason": reason, "node": node, "count": count}
                for (reason, node), count in pipeline.refused.cells.most_common(_REFUSED_SHOWN)
            ],
            "store": {
                "problem": writer.store_problem,
                "failures": writer.store_failures,
                "unstored": writer.unstored,
            },
            "outputs": self._outputs({alarm.id for alarm in (*shown, *past)}),
            "links": [
                {"name": link.name, "connected": link.connected, "counters": dict(link.counters)}
                for link in self._links
            ],
            "broker": {
                "address": f"{self._broker.host}:{self._broker.port}",
                "counters": dict(self._broker.counters),
            },
            "warnings": self._warnings(),
        }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.to_builtins(alarm)
    value["detections"] = [str(activity) for activity in alarm.detections]
    value["state"], value["asks"] = alarm.state, alarm.asks
    return value


def _site(pipeline: Pipeline) -> dict[str, Any]:
    site = pipeline.site
    return {
        "name": site.name,
        "nodes": [
            {"id": n.id, "x_m": n.x_m, "y_m": n.y_m, "sector": n.sector}
            for n in site.nodes.values()
        ],
        "sectors": [
            {"id": sector.id, "polygon": [list(point) for point in sector.polygon]}
            for sector in site.sectors.values()
        ],
    }
