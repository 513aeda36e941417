# SPDX-License-Identifier: MIT
"""Model: a cue: a request to a device to look or to move, with a life of its own.

It cues cameras and drones; nothing starts by itself. Movement starts only from confirmed.
`gateway.monitor.cues` is the state machine; here are its values and what people and devices bring.
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

    @property
    def final(self) -> bool:
        """Nothing follows."""
        return self in _FINAL


_FINAL = frozenset({CueState.DONE, CueState.FAILED, CueState.WITHDRAWN, CueState.EXPIRED})


class CueKind(Enum):
    """What is asked for. What flies needs two distinct people, each time."""

    LOOK = "look"
    FLY = "fly"


@dataclass(frozen=True, slots=True)
class Cue:
    """One request to one device. Times are UTC microseconds, positions local metres.

    `confirmed_by` are distinct people, or the policy of a sector ("policy 3 by eva"; `policy` is
    its number, 0: none). It is void from `expires_us` on unless it was sent before.
    """

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
    sector: str = ""
    policy: int = 0


@dataclass(frozen=True, slots=True)
class CuePolicy:
    """A supervisor confirms in advance that this device looks into a sector, for a while."""

    id: int
    by: str
    reason: str
    sector: str
    device: str
    from_us: int
    until_us: int

    def __str__(self) -> str:
        return f"policy {self.id} by {self.by}"


@dataclass(frozen=True, slots=True)
class CueChange:
    """A cue after a change, its time and origin: a person, policy or device; empty: the system."""

    cue: Cue
    at_us: int
    by: str = ""


@dataclass(frozen=True, slots=True)
class ProposeCue:
    """A person, a rule or a connector asks for a look or a flight. `lasts_us`: void after that."""

    by: str
    device: str
    kind: CueKind
    x_m: float
    y_m: float
    error_m: float
    lasts_us: int
    sector: str = ""
    alarm_id: int | None = None


@dataclass(frozen=True, slots=True)
class ConfirmCue:
    """A person agrees that the device does it."""

    cue_id: int
    by: str


@dataclass(frozen=True, slots=True)
class WithdrawCue:
    """A person takes it back; a device that moves already is stopped."""

    cue_id: int
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetCuePolicy:
    """A supervisor confirms looks of a device into a sector in advance. It always ends."""

    by: str
    sector: str
    device: str
    reason: str
    until_us: int


@dataclass(frozen=True, slots=True)
class EndCuePolicy:
    """The policy ends before its time, and with it what it confirmed and was not sent."""

    policy_id: int
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CueReport:
    """What the device did: sent, executing, done or failed; `problem` in our words."""

    cue_id: int
    state: CueState
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DevicesLost:
    """The gateway restarted: what devices were doing is unknown. `device` empty: all of them."""

    device: str = ""


CueAct = ProposeCue | ConfirmCue | WithdrawCue | SetCuePolicy | EndCuePolicy
CUE_ACT_NAMES: dict[type, str] = {
    ProposeCue: "cue.propose",
    ConfirmCue: "cue.confirm",
    WithdrawCue: "cue.withdraw",
    SetCuePolicy: "cue_policy.set",
    EndCuePolicy: "cue_policy.end",
}
