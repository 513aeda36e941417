# SPDX-License-Identifier: MIT
"""Model: events and alarms as JSON and back, for the store; and the lines programs read."""

from __future__ import annotations

import json
from dataclasses import astuple, fields
from typing import Any

from gateway.model.alarm import Alarm, AlarmChange, AlarmKind, Change, Disposition
from gateway.model.detection import ActivityId, Detection
from gateway.model.event import Activity, Event, Fix, Sound, Track
from gateway.model.strikes import Strike
from gateway.wire.messages import Phase, TargetClass

_ALARM_FIELDS = tuple(item.name for item in fields(Alarm))


def format_json(value: object) -> str:
    """Compact JSON with sorted keys: the same value gives the same bytes."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def event_to_dict(event: Event) -> dict[str, Any]:
    """Plain values; activities are rows, since there are many of them."""
    return {
        "id": event.id,
        "activities": [_activity_row(activity) for activity in event.activities],
        "sectors": event.sectors,
        "target": event.target,
        "confidence": event.confidence,
        "first_us": event.first_us,
        "last_us": event.last_us,
        "touched_us": event.touched_us,
        "x_m": event.x_m,
        "y_m": event.y_m,
        "track": list(astuple(event.track)) if event.track else None,
        "confirmed": event.confirmed,
        "closed": event.closed,
        "reasons": event.reasons,
        "error_m": event.error_m,
        "late_us": event.late_us,
        "fix": list(astuple(event.fix)) if event.fix else None,
    }


def event_from_dict(value: dict[str, Any]) -> Event:
    """Inverse of `event_to_dict`, after a round through JSON."""
    return Event(
        **{
            **value,
            "activities": tuple(_activity(row) for row in value["activities"]),
            "sectors": tuple(value["sectors"]),
            "target": TargetClass(value["target"]),
            "reasons": tuple(value["reasons"]),
            "track": Track(*value["track"]) if value["track"] else None,
            "fix": Fix(*value["fix"]) if value.get("fix") else None,
        }
    )


def _activity_row(activity: Activity) -> list[Any]:
    one = activity.id
    return [
        *(one.node, one.boot, one.onset_ms, activity.sector, activity.target),
        *(activity.confidence, activity.peak_um_s, activity.pir_count, activity.onset_us),
        *(activity.report_us, activity.reports, activity.phase, activity.cadence_hz),
        [list(astuple(sound)) for sound in activity.sounds],
        [list(astuple(strike)) for strike in activity.strikes],
    ]


def _activity(row: list[Any]) -> Activity:
    return Activity(
        id=ActivityId(*row[:3]),
        sector=row[3],
        target=TargetClass(row[4]),
        confidence=row[5],
        peak_um_s=row[6],
        pir_count=row[7],
        onset_us=row[8],
        report_us=row[9],
        reports=row[10],
        phase=Phase(row[11]),
        # Rows of a store that knew no more are shorter.
        cadence_hz=row[12] if len(row) > 12 else 0.0,
        sounds=tuple(Sound(*sound) for sound in row[13]) if len(row) > 13 else (),
        strikes=tuple(Strike(*strike) for strike in row[14]) if len(row) > 14 else (),
    )


def alarm_to_dict(alarm: Alarm) -> dict[str, Any]:
    """Plain values; names instead of numbers, since people read it too."""
    value = {name: getattr(alarm, name) for name in _ALARM_FIELDS}
    value["kind"] = alarm.kind.value
    value["target"] = alarm.target.label if alarm.target is not None else None
    value["disposition"] = alarm.disposition.value if alarm.disposition else None
    value["detections"] = [[one.node, one.boot, one.onset_ms] for one in alarm.detections]
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
            "detections": tuple(ActivityId(*item) for item in value["detections"]),
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
