# SPDX-License-Identifier: MIT
"""Intake: which conditions of a node are active: its reports, and the level set in each hello.

A hello names every condition that is active, and the newest durable message that this includes. So
each report is either older than a hello or newer, in whatever order the two arrive.
"""

from __future__ import annotations

from typing import Protocol

from gateway.intake.nodes import sensor_texts
from gateway.model.alarm import AlarmKind
from gateway.wire.messages import Condition, ConditionKind, Hello

# By the name of the condition.
ALARMS = {
    ConditionKind.TAMPER.label: AlarmKind.TAMPER,
    ConditionKind.LOW_BATTERY.label: AlarmKind.LOW_BATTERY,
    ConditionKind.SENSOR_FAULT.label: AlarmKind.NODE_FAULT,
    ConditionKind.PIR_FAULT.label: AlarmKind.NODE_FAULT,
    ConditionKind.LEDGER_FAULT.label: AlarmKind.NODE_FAULT,
    ConditionKind.SAFE_MODE.label: AlarmKind.NODE_FAULT,
}
_SAFE_MODE = "runs in safe mode: it detects nothing, its firmware failed; update or replace it"

# (name of a condition, whether it is active), in order.
Changes = list[tuple[str, bool]]


class Reported(Protocol):
    """What is kept of one node (gateway.intake.nodes.registry.NodeView): the active conditions with
    their values, and the [boot, durable seq] of the newest report of each and of the level set."""

    conditions: dict[str, int]
    applied: dict[str, list[int]]
    level: list[int]


def on_report(view: Reported, boot: int, seq: int, report: Condition) -> Changes:
    """A durable report. One that something newer has overtaken changes no level; a start among them
    is still an occurrence: it is passed on as active and at once as ended."""
    name, position = report.kind.label, [boot, seq]
    if position <= _newest(view, name):
        missed = report.active and name not in view.conditions
        return [(name, True), (name, False)] if missed else []
    view.applied[name] = position
    if report.active:
        view.conditions[name] = report.value or 0
    else:
        view.conditions.pop(name, None)
    return [(name, bool(report.active))]


def on_hello(view: Reported, boot: int, hello: Hello) -> Changes:
    """The level set replaces what is known, but for reports that are newer than it. Firmware before
    schema version 2 sends none."""
    position = [boot, hello.conditions_seq or 0]
    if hello.conditions is None or position < view.level:
        return []
    view.level = position
    active = {kind.label for kind in ConditionKind if hello.conditions >> kind & 1}
    changed = [
        name
        for name in sorted(active ^ view.conditions.keys())
        if view.applied.get(name, [0, 0]) <= position
    ]
    for name in changed:
        if name in active:
            view.conditions[name] = 0
        else:
            del view.conditions[name]
    return [(name, name in active) for name in changed]


def reason(node: str, name: str, value: int | None = None) -> str:
    """The text of an alarm about it; the text of some depends on `value`."""
    if name == ConditionKind.SAFE_MODE.label:
        return f"{node} {_SAFE_MODE}"
    return sensor_texts.reason(node, name, value)


def _newest(view: Reported, name: str) -> list[int]:
    return max(view.applied.get(name, [0, 0]), view.level)
