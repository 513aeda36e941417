# SPDX-License-Identifier: MIT
"""Outputs: what is told of one change of an alarm, as plain values. Pure."""

from __future__ import annotations

from typing import Any

from gateway.model.alarm import AlarmChange, AlarmKind, Change

VERSION = 1
# What somebody elsewhere must hear; refinements of an alarm stay on the page.
TOLD = frozenset({Change.RAISED, Change.SECTOR, Change.AGAIN, Change.RETURNED, Change.ESCALATED})
_WORDS = {
    Change.RAISED: "",
    Change.SECTOR: "moved on: ",
    Change.AGAIN: "again: ",
    Change.RETURNED: "more urgent now: ",  # no mask, walk or doubt explains it any more
    Change.ESCALATED: "not acknowledged: ",
}
_REASONS_MOST = 8


TEST = "test"  # in the place of a change: nothing happened, somebody tries the way


def describe_test(site: str, output: str, by: str, at_us: int) -> dict[str, Any]:
    """A notification about no alarm, with every field that a receiver may count on."""
    return {
        "version": VERSION,
        "site": site,
        "alarm": 0,
        "change": TEST,
        "kind": TEST,
        "priority": 3,
        "state": TEST,
        "title": f"{site}: test of {output}",
        "text": f"A test by {by}: who reads this is told of alarms. Nothing happened.",
        "nodes": [],
        "sectors": [],
        "raised_us": at_us,
        "at_us": at_us,
    }


def describe(site: str, change: AlarmChange) -> dict[str, Any]:
    """Title and text for people, the same again in fields for programs."""
    alarm = change.alarm
    sectors = ", ".join(alarm.sectors) or "-"
    what = alarm.kind.value.replace("_", " ")
    if alarm.kind is AlarmKind.INTRUSION and alarm.target is not None:
        what = f"perhaps {alarm.target.label}" if alarm.unsure else alarm.target.label
    title = f"{site}: {_WORDS.get(change.change, '')}{what} in {sectors}"
    late = ["told late: it is over"] if alarm.late else []
    lines = [*late, *alarm.reasons[:_REASONS_MOST], f"nodes {', '.join(alarm.nodes)}"]
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
        "direction_deg": alarm.direction_deg,
        "speed_m_s": alarm.speed_m_s,
        "raised_us": alarm.raised_us,
        "at_us": change.at_us,
    }
    return {key: item for key, item in value.items() if item is not None}
