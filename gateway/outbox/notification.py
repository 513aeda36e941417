# SPDX-License-Identifier: MIT
"""Outbox: the notification of one change of an alarm, as plain values. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.model.alarm import AlarmChange, AlarmKind, Change

VERSION = 1
# What a person elsewhere must know; refinements of an alarm stay on the console.
NOTIFIED = frozenset(
    {Change.RAISED, Change.SECTOR, Change.AGAIN, Change.RETURNED, Change.ESCALATED}
)
_PREFIX = {
    Change.RAISED: "",
    Change.SECTOR: "moved on: ",
    Change.AGAIN: "again: ",
    Change.RETURNED: "more urgent now: ",  # no mask, patrol or low confidence explains it any more
    Change.ESCALATED: "not acknowledged: ",
}
_MAX_REASONS = 8


TEST = "test"  # in the place of a change: nothing happened, a person tests the connector


def describe_test(site: str, output: str, by: str, at_us: int) -> dict[str, Any]:
    """A notification about no alarm, with every field that a receiver may rely on."""
    return {
        "version": VERSION,
        "site": site,
        "alarm": 0,
        "change": TEST,
        "kind": TEST,
        "priority": 3,
        "state": TEST,
        "title": f"{site}: test of {output}",
        "text": f"Test by {by}. Alarms are sent to this recipient. Nothing happened.",
        "nodes": [],
        "sectors": [],
        "raised_us": at_us,
        "at_us": at_us,
    }


LATE_US = 120_000_000  # a notification that needed longer states how late it is


def delayed(body: dict[str, Any], now_us: int) -> dict[str, Any]:
    """The notification as it is sent now: a receiver shows its own time of arrival."""
    late_us = now_us - int(body["at_us"])
    if late_us < LATE_US:
        return body
    minutes = late_us // 60_000_000
    late = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    return body | {"late_s": late_us // 1_000_000, "title": f"{late} late: {body['title']}"}


Locate = Callable[[float, float], tuple[float, float] | None]


def describe(
    site: str, change: AlarmChange, locate: Locate = lambda _x, _y: None
) -> dict[str, Any]:
    """Title and text for people, the same again in fields for programs.

    `locate` gives latitude and longitude of local metres, where the site has an origin."""
    alarm = change.alarm
    place = None
    if alarm.x_m is not None and alarm.y_m is not None:
        place = locate(alarm.x_m, alarm.y_m)
    sectors = ", ".join(alarm.sectors) or "-"
    what = alarm.kind.value.replace("_", " ")
    if alarm.kind is AlarmKind.INTRUSION and alarm.target is not None:
        what = f"perhaps {alarm.target.label}" if alarm.unsure else alarm.target.label
    title = f"{site}: {_PREFIX.get(change.change, '')}{what} in {sectors}"
    late = ["reported late: it is over already"] if alarm.late else []
    lines = [*late, *alarm.reasons[:_MAX_REASONS], f"nodes {', '.join(alarm.nodes)}"]
    value = {
        "version": VERSION,
        "site": site,
        "alarm": alarm.id,
        "change": change.change.value,
        "kind": alarm.kind.value,
        "priority": alarm.priority,
        "state": alarm.state,
        "title": title,
        "text": "\n".join(lines),
        "nodes": list(alarm.nodes),
        "sectors": list(alarm.sectors),
        "class": alarm.target.label if alarm.target is not None else None,
        "confidence": alarm.confidence,
        "x_m": alarm.x_m,
        "y_m": alarm.y_m,
        "error_m": alarm.error_m,
        "latitude": round(place[0], 7) if place else None,
        "longitude": round(place[1], 7) if place else None,
        "direction_deg": alarm.direction_deg,
        "speed_m_s": alarm.speed_m_s,
        "raised_us": alarm.raised_us,
        "at_us": change.at_us,
    }
    return {key: item for key, item in value.items() if item is not None}
