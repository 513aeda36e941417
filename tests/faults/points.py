# SPDX-License-Identifier: MIT
"""Where a fault of our own is injected: every stage, task and timer of the gateway, and each effect
of a step. A point raises so many times and works again afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

from numpy.linalg import LinAlgError

from gateway.alarms import EventChanged, Tick
from gateway.errors import ConfigError

EXCEPTIONS: dict[str, type[BaseException]] = {
    "LinAlgError": LinAlgError,
    "KeyError": KeyError,
    "MemoryError": MemoryError,
    "RecursionError": RecursionError,
    "ConfigError": ConfigError,
}
CANCELLED = asyncio.CancelledError


class Point(NamedTuple):
    """A function of a module or "module:Class", and which of its calls count."""

    owner: str
    name: str
    wanted: Callable[..., bool] = lambda *_: True


def _is_tick(*given: Any) -> bool:
    return isinstance(given[2], Tick)


_INTAKE = "gateway.intake"
_AUTH = f"{_INTAKE}.authentication"
_RUN = "gateway.service.running"
_PUBLISHER = "gateway.service.publisher:Publisher"
_STAGES = "gateway.service.stages:Stages"

POINTS: dict[str, Point] = {
    # connection and link
    "broker reads": Point("gateway.broker.peer:Peer", "_on_publish"),
    "broker writes": Point("gateway.broker.peer:Peer", "flush"),
    "broker sweeps": Point("gateway.broker.peer:Peer", "sweep"),
    "admission": Point("gateway.limits:TokenBucket", "take"),
    # first stage
    "authentication": Point(f"{_AUTH}.authenticator:Authenticator", "admit"),
    "seal": Point("gateway.wire.seal", "open_sealed", lambda *a: a[3].startswith(b"groundwatch/")),
    "decode": Point("gateway.wire.codec", "decode_up"),
    "window": Point(f"{_AUTH}.sequence:DurableSequence", "see"),
    "row of a message": Point(f"{_INTAKE}.intake", "message_row"),
    "down counters": Point(f"{_INTAKE}.downlinks:Downlinks", "reserve"),
    "boot clock": Point(f"{_INTAKE}.nodes.boot_clock:BootClocks", "observe"),
    "observation": Point(f"{_INTAKE}.intake", "detection_of"),
    "log": Point(f"{_INTAKE}.log:Log", "append"),
    "commands receive": Point("gateway.node_commands.commands:NodeCommands", "receive"),
    "updates receive": Point("gateway.updates.service:UpdateService", "process"),
    "nodes over time": Point(f"{_INTAKE}.nodes.registry:NodeRegistry", "tick"),
    "coverage over time": Point(f"{_INTAKE}.coverage_watch:CoverageWatch", "tick"),
    "updates over time": Point("gateway.updates.service:UpdateService", "tick"),
    "commands over time": Point("gateway.node_commands.commands:NodeCommands", "tick"),
    # commit and answers
    "commit": Point("gateway.store.sql_commit", "insert"),
    "commit in SQLite": Point("gateway.store.sqlite:SqliteStore", "_commit"),
    "rows of a node": Point(f"{_INTAKE}.intake:Intake", "_write_boots"),
    "rows of the outbox": Point("gateway.outbox.outbox:Outbox", "collect"),
    "rows of the audit": Point("gateway.audit.log:AuditLog", "collect"),
    "acknowledgement": Point("gateway.broker.peer:Peer", "_write"),
    "receipt": Point(f"{_RUN}.answers:AnswerSender", "_send_to"),
    "seal of an answer": Point(f"{_INTAKE}.downlinks:Downlinks", "seal"),
    # second stage
    "association": Point("gateway.fusion.step", "candidates"),
    "fit": Point("gateway.fusion.update", "fit"),
    "verdict": Point("gateway.fusion.update", "assess"),
    "alarms": Point(
        "gateway.monitor.step", "alarm_step", lambda *a: isinstance(a[2], EventChanged)
    ),
    "fusion over time": Point("gateway.monitor.step", "fusion_step", lambda *a: a[4] is None),
    "alarms over time": Point("gateway.monitor.step", "alarm_step", _is_tick),
    "rows of the monitor": Point("gateway.monitor.rows", "changed_rows"),
    "history in the audit": Point(_STAGES, "_chain"),
    # effects
    "notifications": Point("gateway.outbox.outbox:Outbox", "offer"),
    "deliveries": Point("gateway.service.connectors.supervisor:ConnectorService", "deliver"),
    "outcome on the page": Point("gateway.app_facade:Facade", "on_outcome"),
    "events on the page": Point(_PUBLISHER, "events"),
    "alarms on the page": Point(_PUBLISHER, "alarms"),
    "nodes on the page": Point(_PUBLISHER, "flush"),
    "policy on the page": Point(_PUBLISHER, "policy"),
    "counters on the page": Point(_PUBLISHER, "sections"),
    "connectors on the page": Point("gateway.app_facade", "shown_connectors"),
    # tasks
    "task intake": Point(f"{_RUN}.intake_stage:IntakeStage", "_due"),
    "task monitor": Point(f"{_RUN}.monitor_stage:MonitorStage", "_wait"),
    "task retention": Point("gateway.service.records.retention_timer:RetentionTimer", "due"),
    "task site": Point("gateway.service.site_files", "_stamp"),
    "task monitored time": Point("gateway.performance.monitored_time:MonitoredTime", "count"),
}  # fmt: skip
TASKS = ("task intake", "task monitor")


@contextmanager
def injected(point: Point, error: type[BaseException], times: int = 1) -> Iterator[list[int]]:
    """The next `times` calls raise; how many did."""
    module, _, inner = point.owner.partition(":")
    owner = import_module(module)
    owner = getattr(owner, inner) if inner else owner
    real: Callable[..., Any] = getattr(owner, point.name)
    raised = [0]

    def faulty(*given: Any, **named: Any) -> Any:
        if raised[0] < times and point.wanted(*given):
            raised[0] += 1
            raise error("injected")
        return real(*given, **named)

    setattr(owner, point.name, faulty)
    try:
        yield raised
    finally:
        setattr(owner, point.name, real)
