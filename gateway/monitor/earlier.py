# SPDX-License-Identifier: MIT
"""Monitor: open events and noise floors as stores of schema versions 1 to 5 hold them: rows of
values in a fixed order, classes and phases by their numbers on the wire."""

from __future__ import annotations

import json
from typing import Any

from gateway.fusion.floors import NodeFloor
from gateway.model.detection import ActivityId
from gateway.model.event import Activity, Event, Fix, LevelReport, Track
from gateway.model.footfalls import Footfall
from gateway.model.target import Phase, TargetClass

_TARGETS = (
    TargetClass.UNKNOWN,
    TargetClass.PERSON,
    TargetClass.GROUP,
    TargetClass.ANIMAL,
    TargetClass.VEHICLE,
    TargetClass.DIGGING,
)
_PHASES = {1: Phase.ONSET, 2: Phase.UPDATE, 3: Phase.END}


def event_of(value: str) -> Event:
    """Raises ValueError for anything else."""
    try:
        plain = json.loads(value)
        return Event(
            **{
                **plain,
                "activities": tuple(_activity(row) for row in plain["activities"]),
                "sectors": tuple(plain["sectors"]),
                "target": _TARGETS[plain["target"]],
                "reasons": tuple(plain["reasons"]),
                "track": Track(*plain["track"]) if plain["track"] else None,
                "fix": Fix(*plain["fix"]) if plain.get("fix") else None,
            }
        )
    except (TypeError, KeyError, IndexError) as error:
        raise ValueError(f"no event of an earlier version: {error}") from error


def floor_of(value: str) -> NodeFloor:
    """Raises ValueError for anything else."""
    try:
        at_us, floor_um_s, usual_um_s = json.loads(value)
        return NodeFloor(int(at_us), float(floor_um_s), float(usual_um_s))
    except TypeError as error:
        raise ValueError(f"no floor of an earlier version: {error}") from error


def _activity(row: list[Any]) -> Activity:
    return Activity(
        id=ActivityId(*row[:3]),
        sector=row[3],
        target=_TARGETS[row[4]],
        confidence=row[5],
        peak_um_s=row[6],
        pir_count=row[7],
        onset_us=row[8],
        report_us=row[9],
        reports=row[10],
        phase=_PHASES[row[11]],
        # Rows of a store that knew no more are shorter.
        cadence_hz=row[12] if len(row) > 12 else 0.0,
        levels=tuple(LevelReport(*level) for level in row[13]) if len(row) > 13 else (),
        footfalls=tuple(Footfall(*one) for one in row[14]) if len(row) > 14 else (),
    )
