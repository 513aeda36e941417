# SPDX-License-Identifier: MIT
"""Model: operator actions. With their times they are inputs, as detections are: replay needs them.

`by` is the operator; times are UTC microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.model.actions.overrides import Purpose
from gateway.model.alarm import Disposition


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Acknowledges one alarm, and may assess it."""

    alarm_id: int
    by: str
    disposition: Disposition | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SetMask:
    """Masks intrusion alarms of sectors or single nodes."""

    by: str
    reason: str
    until_us: int
    sectors: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LiftMask:
    """Ends a mask before its time."""

    mask_id: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class AnnounceWalk:
    """Schedules authorised activity: a patrol or a walk test."""

    by: str
    who: str
    from_us: int
    until_us: int
    sectors: tuple[str, ...]
    purpose: Purpose = Purpose.PATROL
    crossings: int = 1


@dataclass(frozen=True, slots=True)
class WithdrawWalk:
    """Ends authorised activity before its time, or cancels it before it started."""

    walk_id: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class SetArming:
    """Arms or disarms a sector for a while, against its schedule."""

    by: str
    sector: str
    armed: bool
    reason: str
    until_us: int


@dataclass(frozen=True, slots=True)
class ResumeSchedule:
    """Resumes the schedule of a sector before the time."""

    by: str
    sector: str
    reason: str


Act = Acknowledge | SetMask | LiftMask | AnnounceWalk | WithdrawWalk | SetArming | ResumeSchedule

_NAMES: dict[type[Any], str] = {
    Acknowledge: "alarm.acknowledge",
    SetMask: "mask.set",
    LiftMask: "mask.lift",
    AnnounceWalk: "walk.announce",
    WithdrawWalk: "walk.withdraw",
    SetArming: "arming.set",
    ResumeSchedule: "arming.resume",
}
_TYPES = {name: kind for kind, name in _NAMES.items()}


def act_name(act: Act) -> str:
    """Its action in the audit log."""
    return _NAMES[type(act)]


def act_subject(act: Act) -> str:
    """Its subject in the audit log."""
    match act:
        case Acknowledge():
            return f"alarm {act.alarm_id}"
        case SetMask():
            return f"sectors {' '.join(act.sectors) or '-'} nodes {' '.join(act.nodes) or '-'}"
        case LiftMask():
            return f"mask {act.mask_id}"
        case AnnounceWalk():
            return f"{act.purpose.value} of {act.who} in {' '.join(act.sectors)}"
        case WithdrawWalk():
            return f"walk {act.walk_id}"
        case SetArming():
            return f"{'arm' if act.armed else 'disarm'} {act.sector}"
        case ResumeSchedule():
            return f"sector {act.sector}"


def act_to_dict(act: Act) -> dict[str, Any]:
    """Plain values; `act` names which act it is."""
    value: dict[str, Any] = msgspec.to_builtins(act)
    return {"act": act_name(act), **value}


def act_from_dict(value: dict[str, Any]) -> Act:
    """Inverse of `act_to_dict`, after a round through JSON. Raises KeyError, ValueError."""
    rest = {name: item for name, item in value.items() if name != "act"}
    act: Act = msgspec.convert(rest, _TYPES[value["act"]])
    return act
