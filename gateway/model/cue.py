# SPDX-License-Identifier: MIT
"""Model: a cue: a request to a device to look or to move, with a life of its own.

It cues people, cameras and drones; it never acts on its own. Movement starts only from confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class CueState(Enum):
    """proposed -> confirmed -> sent -> executing -> done | failed | withdrawn | expired."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    SENT = "sent"
    EXECUTING = "executing"
    DONE = "done"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class CueKind(Enum):
    """What is asked for. Whatever flies needs two distinct people, each time."""

    LOOK = "look"
    FLY = "fly"


@dataclass(frozen=True, slots=True)
class Cue:
    """One request to one device. Times are UTC microseconds; `confirmed_by` are distinct people or
    the policy of a sector ("policy 3 by Eva")."""

    id: int
    device: str
    kind: CueKind
    state: CueState
    alarm_id: int | None
    x_m: float
    y_m: float
    error_m: float
    proposed_us: int
    proposed_by: str
    expires_us: int
    changed_us: int
    confirmed_by: tuple[str, ...] = ()
    problem: str = ""
