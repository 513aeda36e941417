# SPDX-License-Identifier: MIT
"""Model: events and alarms as JSON and back, for the store; and the lines programs read."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from gateway.model.alarm import Alarm, AlarmChange, AlarmKind, Change, Disposition
from gateway.model.detection import ActivityId, Detection
from gateway.model.event import Activity, Event, Track
from gateway.wire.messages import Phase, TargetClass


def format_json(value: object) -> str:
    """Compact JSON with sorted keys: the same value gives the same bytes."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def event_to_dict(event: Event) -> dict[str, Any]:
    """Plain values only."""
    return asdict(event)


def event_from_dict(value: dict[str, Any]) -> Event:
    """Inverse of `event_to_dict`, after a round through JSON."""
    track = value.pop("track")
    activities = tuple(_activity(item) for item in value.pop("activities"))
    return Event(
        **{
            **value,
            "activities": activities,
            "sectors": tuple(value["sectors"]),
            "target": TargetClass(value["target"]),
            "reasons": tuple(value["reasons"]),
            "track": Track(**track) if track else None,
        }
    )


def _activity(value: dict[str, Any]) -> Activity:
    return Activity(
        **{
            **value,
            "id": ActivityId(**value["id"]),
            "target": TargetClass(value["target"]),
            "phase": Phase(value["phase"]),
        }
    )


def alarm_to_dict(alarm: Alarm) -> dict[str, Any]:
    """Plain values only; names instead of numbers, since people read it too."""
    value = asdict(alarm)
    value["kind"] = alarm.kind.value
    value["target"] = alarm.target.label if alarm.target is not None else None
    value["disposition"] = alarm.disposition.value if alarm.disposition else None
    return value


def alarm_from_dict(value: dict[str, Any]) -> Alarm:
    """Inverse of `alarm_to_dict`, after a round through JSON."""
    target = value["target"]
    disposition = value["disposition"]
    return Alarm(
        **{
            **value,
            "kind": AlarmKind(value["kind"]),
            "nodes": tuple(value["nodes"]),
            "sectors": tuple(value["sectors"]),
            "reasons": tuple(value["reasons"]),
            "detections": tuple(ActivityId(**item) for item in value["detections"]),
            "target": TargetClass[target.upper()] if target is not None else None,
            "disposition": Disposition(disposition) if disposition else None,
        }
    )


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

    `t_s` is when the operator was told, seconds after `zero_us`.
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
        "sectors": list(alarm.sectors),
        "state": alarm.state,
        "reasons": list(alarm.reasons),
        "detections": [str(activity) for activity in alarm.detections],
    }
    return {key: value for key, value in line.items() if value is not None}
