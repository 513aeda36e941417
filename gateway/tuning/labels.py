# SPDX-License-Identifier: MIT
"""Tuning: what each detection was, by what operators assessed and announced.

An animal is a detection that is right and not wanted: a threshold cannot separate it from a person
who passes at the same distance, so it counts neither for raising nor against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from gateway.model.alarm import Alarm, AlarmKind, Disposition
from gateway.model.detection import ActivityId
from gateway.tuning.activity import Activity
from gateway.tuning.overrides import Overrides

CONFIRMING = frozenset(
    {Disposition.PERSON, Disposition.VEHICLE, Disposition.OWN_PATROL, Disposition.TEST}
)
# "Unknown" is the disposition of an alarm for which nothing was found (gateway.performance).
FALSE = frozenset({Disposition.UNKNOWN, Disposition.WEATHER})


class Label(Enum):
    """What a detection was."""

    CONFIRMED = "confirmed"
    FALSE = "false"
    ANIMAL = "animal"
    UNASSESSED = "unassessed"  # of an alarm that no operator has assessed
    UNCONFIRMED = "unconfirmed"  # of no alarm, and no person announced


class Labelled(NamedTuple):
    """`because` names the alarm or the walk; empty where there is none."""

    activity: Activity
    label: Label
    because: str = ""
    alarm_id: int | None = None


AlarmsOf = Mapping[ActivityId, Sequence[Alarm]]


def intrusions_of(alarms: Iterable[Alarm]) -> AlarmsOf:
    """Intrusion alarms by the activities that caused them."""
    found: dict[ActivityId, list[Alarm]] = {}
    for alarm in alarms:
        if alarm.kind is AlarmKind.INTRUSION:
            for one in alarm.detections:
                found.setdefault(one, []).append(alarm)
    return found


def is_confirmed(alarm: Alarm) -> bool:
    """A person or vehicle by its disposition, or authorised activity."""
    if alarm.disposition is not None:
        return alarm.disposition in CONFIRMING
    return bool(alarm.walk)


def label(activity: Activity, sector: str, alarms_of: AlarmsOf, overrides: Overrides) -> Labelled:
    """An activity of several alarms is confirmed if one of them is."""
    alarms = alarms_of.get(activity.id, ())
    for alarm in alarms:
        if is_confirmed(alarm):
            word = alarm.disposition.value if alarm.disposition is not None else alarm.walk
            return Labelled(activity, Label.CONFIRMED, f"alarm {alarm.id}: {word}", alarm.id)
    walk = overrides.walk_at(sector, activity.onset_us)
    if walk is not None:
        kind = walk.purpose.value.replace("_", " ")
        return Labelled(activity, Label.CONFIRMED, f"announced {kind} {walk.id}")
    for alarm in alarms:
        if alarm.disposition is None:
            return Labelled(activity, Label.UNASSESSED, f"alarm {alarm.id}", alarm.id)
    for alarm in alarms:
        if alarm.disposition in FALSE:
            word = alarm.disposition.value if alarm.disposition is not None else ""
            return Labelled(activity, Label.FALSE, f"alarm {alarm.id}: {word}", alarm.id)
    if alarms:
        return Labelled(activity, Label.ANIMAL, f"alarm {alarms[0].id}: animal", alarms[0].id)
    return Labelled(activity, Label.UNCONFIRMED)
