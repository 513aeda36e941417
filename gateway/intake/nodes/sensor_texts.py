# SPDX-License-Identifier: MIT
"""Intake: texts of alarms about faults of sensors that a node reports."""

from __future__ import annotations

from gateway.wire.messages import ConditionKind

# Values of the conditions, docs/wire.md section 7: what it is, and what to do.
_SENSOR_FAULT = {
    1: "geophone disconnected: check cable and plug",
    2: "geophone shorted: check cable and plug for water or a pinch",
    3: "geophone input stuck at its limit: check plug and amplifier",
    4: "mains hum masks the geophone: check cable, shield and machines nearby",
    5: "geophone input is far too noisy: check plug, shield and amplifier",
    6: "geophone converter returns a constant value: the node detects nothing, replace its board",
    7: "geophone converter does not answer: the node detects nothing, check wiring and supply",
    8: "geophone converter lost its supply for a moment and was set up again: check its supply",
}
_PIR_FAULT = {
    1: "PIR has been on for 10 minutes without a pause: check it",
    2: "PIR switches on and off all the time and is disabled: check its wiring",
    3: "PIR detects more than 10 times a minute and is disabled: check for sun or leaves",
}


_BY_VALUE = {
    ConditionKind.SENSOR_FAULT.label: _SENSOR_FAULT,
    ConditionKind.PIR_FAULT.label: _PIR_FAULT,
}


def reason(node: str, name: str, value: int | None) -> str:
    """The text of an alarm about the condition of that name that `node` reports."""
    text = _BY_VALUE.get(name, {}).get(value or 0)
    if name == ConditionKind.TAMPER.label:
        text = "case opened, or the wire of its tamper contact cut"
    elif name == ConditionKind.LOW_BATTERY.label and value:
        text = f"battery low: {value / 1000:.2f} V; change or charge it"
    # A node may be newer than this gateway, or older: then the name it reports.
    return f"{node} {text or 'reports ' + name.replace('_', ' ')}"
