# SPDX-License-Identifier: MIT
"""Model: what operators do. With their times they are inputs, as detections are: replay needs them.

`by` is who did it; times are UTC microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.model.actions.orders import Purpose
from gateway.model.alarm import Disposition


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Takes note of one alarm, and may say what it was."""

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
    """Tells that own people will walk, on patrol or to test the line."""

    by: str
    who: str
    from_us: int
    until_us: int
    sectors: tuple[str, ...]
    purpose: Purpose = Purpose.PATROL
    crossings: int = 1


@dataclass(frozen=True, slots=True)
class WithdrawWalk:
    """Ends an announcement before its time, or before it began."""

    walk_id: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class SetArming:
    """Arms or disarms a sector for a while, whatever its schedule says."""

    by: str
    sector: str
    armed: bool
    reason: str
    until_us: int


@dataclass(frozen=True, slots=True)
class ResumeSchedule:
    """Gives a sector back to its schedule before the time."""

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
    """The word of the audit for it."""
    return _NAMES[type(act)]


def act_subject(act: Act) -> str:
    """What it is done to, for the audit."""
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
