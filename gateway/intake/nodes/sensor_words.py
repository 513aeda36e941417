# SPDX-License-Identifier: MIT
"""The door: what an operator reads when a node says that one of its sensors is not well."""

from __future__ import annotations

from gateway.wire.messages import ConditionKind

# Values of the conditions, docs/wire.md section 7: what it is, and what to do.
_SENSOR_FAULT = {
    1: "geophone cut: no coil on its cable; check cable and plug",
    2: "geophone shorted: check cable and plug for water or a pinch",
    3: "geophone input stuck at its limit: check plug and amplifier",
    4: "mains hum covers the geophone: check its cable and shield, and what runs nearby",
    5: "geophone input is far too noisy: check plug, shield and amplifier",
    6: "geophone converter gives one value for ever: the node is deaf, replace its board",
    7: "geophone converter does not answer: the node is deaf, check its wiring and supply",
    8: "geophone converter lost its supply for a moment and was set up again: check its supply",
}
_PIR_FAULT = {
    1: "PIR has been on for 10 minutes without a pause: check it",
    2: "PIR switches on and off without end and is shut down: check its wiring",
    3: "PIR trips more than 10 times a minute and is shut down: sun or leaves before it",
}


_BY_VALUE = {
    ConditionKind.SENSOR_FAULT.label: _SENSOR_FAULT,
    ConditionKind.PIR_FAULT.label: _PIR_FAULT,
}


def reason(node: str, name: str, value: int | None) -> str:
    """The words of an alarm about the condition of that name that `node` reports."""
    words = _BY_VALUE.get(name, {}).get(value or 0)
    if name == ConditionKind.TAMPER.label:
        words = "case opened, or the wire of its tamper contact cut"
    elif name == ConditionKind.LOW_BATTERY.label and value:
        words = f"battery low: {value / 1000:.2f} V; change or charge it"
    # A node may be newer than this gateway, or older: then its own word for it.
    return f"{node} {words or 'reports ' + name.replace('_', ' ')}"
