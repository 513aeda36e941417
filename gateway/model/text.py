# SPDX-License-Identifier: MIT
"""Model: values as JSON and strictly back, for the store; and the lines that programs read."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, TypeVar

import msgspec

from gateway.model.alarm import AlarmChange, AlarmKind, Change
from gateway.model.detection import Detection

_T = TypeVar("_T")


def format_json(value: object) -> str:
    """Compact JSON with sorted keys: the same value gives the same bytes."""
    return msgspec.json.encode(value, order="sorted").decode()


def parse_json(written: str | bytes, kind: type[_T]) -> _T:
    """Inverse of `format_json` for a value of that type. Raises ValueError."""
    return msgspec.json.decode(written, type=kind)


def _seconds(utc_us: int, zero_us: int) -> float:
    return round((utc_us - zero_us) / 1e6, 3)


def detection_line(detection: Detection, zero_us: int = 0) -> dict[str, Any]:
    """`t_s` is the onset, seconds after `zero_us`."""
    return {
        "type": "detection",
        "node": detection.node,
        "t_s": _seconds(detection.onset_us, zero_us),
        "class": detection.target.label,
        "confidence": round(detection.confidence, 2),
    }


def alarm_line(change: AlarmChange, zero_us: int = 0) -> dict[str, Any]:
    """`alarm` once per crossing, when it is raised; `alarm_update` and `node_alarm` else.

    `t_s` is when the operator was notified, seconds after `zero_us`.
    """
    alarm = change.alarm
    line: dict[str, Any] = {
        "type": "alarm" if change.change is Change.RAISED else "alarm_update",
        "id": alarm.id,
        "nodes": list(alarm.nodes),
        "t_s": _seconds(change.at_us, zero_us),
    }
    if alarm.kind is not AlarmKind.INTRUSION or alarm.target is None:
        return {
            **line,
            "type": "node_alarm",
            "kind": alarm.kind.value,
            "state": alarm.state,
            "reasons": list(alarm.reasons),
        }
    line |= {
        "class": alarm.target.label,
        "confidence": alarm.confidence,
        "direction_deg": alarm.direction_deg,
        "speed_m_s": alarm.speed_m_s,
        "x_m": alarm.x_m,
        "y_m": alarm.y_m,
        "ellipse": None if alarm.ellipse is None else asdict(alarm.ellipse),
        "sectors": list(alarm.sectors),
        "state": alarm.state,
        "reasons": list(alarm.reasons),
        "detections": [str(activity) for activity in alarm.detections],
    }
    return {key: value for key, value in line.items() if value is not None}
