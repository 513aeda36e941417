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
from gateway.links.interface import Link
from gateway.model import text
from gateway.model.alarm import Alarm
from gateway.model.site import Site
from gateway.service.outcome import Outcome
from gateway.service.service import Service

_OPEN_SHOWN = 200  # of the queue, and all that are active: a long weekend's alarms are megabytes
_RECENT_ALARMS = 50
_RECENT_DETECTIONS = 40
_REFUSED_SHOWN = 200


class ConsoleState:
    """Reads the running parts; `version` grows whenever the page should look again."""

    def __init__(
        self,
        service: Service,
        broker: Broker,
        links: list[Link],
        clock: Callable[[], int],
        sign_on: Callable[[], dict[str, Any]],
        warnings: Callable[[], list[str]] = list,
        outputs: Callable[[Collection[int]], dict[str, Any]] = lambda _alarms: {},
    ) -> None:
        self.version = 0
        self._service = service
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
        return self._service.stages.policy.alarms

    def snapshot(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        service, stages = self._service, self._service.stages
        intake, state = stages.intake, stages.monitor.state
        queue = queue_of(state.alarms.open)
        shown = queue[:_OPEN_SHOWN] + [alarm for alarm in queue[_OPEN_SHOWN:] if alarm.active]
        past = state.alarms.closed[: -_RECENT_ALARMS - 1 : -1]
        number, link = stages.audit.head
        return {
            "now_us": self.now_us(),
            "site": _site(stages.site),
            "alarms": [_alarm(alarm) for alarm in shown],
            "alarms_waiting": len(queue) - len(shown),
            "past": [_alarm(alarm) for alarm in past],
            "orders": orders_shown(state, self.now_us()),
            "on_watch": self._sign_on(),
            "detections": list(self._detections)[::-1],
            "nodes": {
                node: {**intake.registry.save(node), "gaps": intake.completeness.gaps(node)}
                for node in stages.site.nodes
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
                for e in state.fusion.events
            ],
            "counters": {
                "messages": intake.messages,
                "detections": intake.detections,
                "alarms": state.alarms.last_id,
                "duplicates": intake.registry.duplicates,
                "refused": sum(intake.refused.cells.values()),
                "queue_dropped": sum(link.counters["queue_full"] for link in self._links),
                "queued": service.intake_stage.queued,
                "down_unsent": service.intake_stage.down_unsent,
                "commits": service.commits.made,
                "audit": f"{number}:{code(link)}",  # for the paper log
            },
            "refused": [
                {"reason": reason, "node": node, "count": count}
                for (reason, node), count in intake.refused.cells.most_common(_REFUSED_SHOWN)
            ],
            "store": {
                "problem": service.commits.problem,
                "failures": service.commits.failures,
                "unstored": service.commits.unstored,
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


def _site(site: Site) -> dict[str, Any]:
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
