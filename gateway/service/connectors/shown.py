# SPDX-License-Identifier: MIT
"""Service: connectors and deliveries as page, API, metrics and command line show them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from gateway.outbox.outbox import Delivery, Outbox, Status
from gateway.outbox.worker import DeliveryWorker
from gateway.service.connectors.supervisor import Connector, ConnectorService

_NEWEST, _MAX_SHOWN = 50, 500
# Of a notifier, which is known by its last delivery only.
_NOTIFIER_STATES = {"connected": "working", "failing": "failing"}

_TRIED = frozenset({Status.SENT, Status.FAILED, Status.DROPPED})


def shown_connectors(service: ConnectorService, outbox: Outbox) -> list[dict[str, Any]]:
    """Plain values of each connector, in the order of the configuration. No address, no secret."""
    return [_shown(one, outbox) for one in service.connectors.values()]


def shown_deliveries(
    service: ConnectorService, outbox: Outbox, alarms: Collection[int] = ()
) -> list[dict[str, Any]]:
    """The records of the newest deliveries and of those about these alarms, the newest first."""
    known = sorted((*outbox.recent, *outbox.pending.values()), key=lambda one: -one.id)
    shown = known[:_NEWEST] + [one for one in known[_NEWEST:] if one.alarm_id in alarms]
    return [_record(service, one) for one in shown[:_MAX_SHOWN]]


def _shown(one: Connector, outbox: Outbox) -> dict[str, Any]:
    name, status = one.config.name, one.port.status
    value: dict[str, Any] = {
        "name": name,
        "kind": one.config.kind,
        "roles": list(one.roles),
        "may": list(one.config.may),
        "state": status.state,
        "problem": status.problem,
        "since_us": status.since_us,
        "restarts": status.restarts,
        "counters": dict(status.counters),
        "waiting": one.port.waiting,
    }
    if one.worker is not None:
        channel = outbox.channels.get(name)
        value |= {
            "priority": channel.priority if channel else None,
            "waiting": one.worker.waiting,
            "sent_us": outbox.sent_us.get(name),
            "counts": dict(outbox.counts[name]),
            "unreached": _unreached(one.worker, outbox, name),
        }
        if one.roles == ("notifier",):  # it has no connection that could be up
            value["state"] = _NOTIFIER_STATES.get(status.state, "untried")
    return value


def _unreached(worker: DeliveryWorker, outbox: Outbox, name: str) -> list[dict[str, Any]]:
    """Who did not get the newest notification that was tried, since when, and why."""
    found: dict[str, dict[str, Any]] = {}
    for one in sorted((*outbox.recent, *outbox.pending.values()), key=lambda one: one.id):
        tried = one.id in worker.tried
        if one.channel != name or not (tried or one.status in _TRIED):
            continue
        if one.status is Status.SENT:
            found.pop(one.recipient, None)
            continue
        problem = one.problem or worker.tried.get(one.id, (0, ""))[1]
        since_us = found.get(one.recipient, {}).get("since_us", one.at_us)
        found[one.recipient] = {"to": one.recipient, "since_us": since_us, "problem": problem}
    channel = outbox.channels.get(name)
    return [found[to] for to in (channel.recipients if channel else ()) if to in found]


def _record(service: ConnectorService, delivery: Delivery) -> dict[str, Any]:
    one = service.connectors.get(delivery.channel)
    worker = one.worker if one else None
    tried = worker.tried.get(delivery.id, (0, "")) if worker else (0, "")
    return {
        "id": delivery.id,
        "output": delivery.channel,
        "to": delivery.recipient,
        "alarm": delivery.alarm_id,
        "change": delivery.change,
        "status": delivery.status.value,
        "attempts": delivery.attempts or tried[0],
        "answer": delivery.receipt or delivery.problem or tried[1],
        "at_us": delivery.at_us,
        "done_us": delivery.done_us,
    }
