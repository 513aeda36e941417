# SPDX-License-Identifier: MIT
"""Monitor: alarms of two histories side by side: which of them are about the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gateway.store.interface import HistoryRow

About = tuple[str, str, frozenset[tuple[Any, ...]]]


def alarms_of(rows: Sequence[HistoryRow]) -> dict[About, dict[str, Any]]:
    """By what they are about, as of their last change; with the time they were raised."""
    last: dict[int, tuple[int, dict[str, Any]]] = {}
    for row in rows:
        raised_us = last[row.alarm_id][0] if row.alarm_id in last else row.at_us
        last[row.alarm_id] = (raised_us, json.loads(row.value))
    return {
        _about(value): {
            "kind": value["kind"],
            "raised_us": raised_us,
            "nodes": value["nodes"],
            "class": value["target"],
            "reasons": value["reasons"],
        }
        for raised_us, value in last.values()
    }


def _about(value: dict[str, Any]) -> About:
    detections = frozenset(tuple(one) for one in value["detections"])
    key = "" if detections else f"{value['key']} {value['raised_us']}"
    return value["kind"], key, detections


def counterpart(about: About, others: dict[About, Any]) -> About | None:
    """The alarm of the others that is about the same: one detection in common is enough."""
    if about in others:
        return about
    kind, _key, detections = about
    return next((o for o in others if o[0] == kind and o[2] & detections), None)
