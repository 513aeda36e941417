# SPDX-License-Identifier: MIT
"""Model: observations: what was observed, where or by which node, when, and how certain it is.

Positions are local metres (east, north), times UTC microseconds. `source` names the node or the
connector that an observation came from: its provenance, which the log keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import msgspec

from gateway.model.alarm import AlarmKind
from gateway.model.detection import Detection
from gateway.model.footfalls import Footfalls
from gateway.model.target import TargetClass


class Covariance(msgspec.Struct, frozen=True, array_like=True):
    """Of a position, in square metres."""

    xx_m2: float
    yy_m2: float
    xy_m2: float = 0.0

    @classmethod
    def of_error(cls, error_m: float) -> Covariance:
        """The same in all directions; `error_m` is one standard deviation along each axis."""
        return cls(error_m * error_m, error_m * error_m)

    @property
    def valid(self) -> bool:
        """Positive definite: an ellipse and not a line."""
        return self.xx_m2 > 0 and self.yy_m2 > 0 and self.xx_m2 * self.yy_m2 > self.xy_m2**2


@dataclass(frozen=True, slots=True)
class Plot:
    """A position report of a radar, a camera or a drone about one target.

    `track` is the number that the source itself gave the target; empty when it does not track.
    `confidence` is the probability that there is a target at all.
    """

    source: str
    at_us: int
    x_m: float
    y_m: float
    covariance: Covariance
    track: str = ""
    target: TargetClass = TargetClass.UNKNOWN
    confidence: float = 0.5
    vx_m_s: float | None = None
    vy_m_s: float | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """Movement in the field of view of a sensor that measures no position, such as a PIR."""

    source: str
    at_us: int
    x_m: float
    y_m: float
    range_m: float
    movements: int = 1


@dataclass(frozen=True, slots=True)
class Contact:
    """A position of authorised persons, by their call sign."""

    source: str
    at_us: int
    x_m: float
    y_m: float
    covariance: Covariance
    call_sign: str


class ClaimKind(Enum):
    """What another system did with an alarm of ours."""

    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Claim:
    """Another system states something about one alarm. It is shown; it acts on nothing."""

    source: str
    at_us: int
    alarm_id: int
    kind: ClaimKind
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """The noise floor that a node reports in its heartbeat, um/s rms."""

    node: str
    at_us: int
    floor_um_s: float


@dataclass(frozen=True, slots=True)
class NodeCondition:
    """A condition of one node started or ended; `detail` distinguishes conditions of one kind."""

    kind: AlarmKind
    node: str
    sector: str
    detail: str
    active: bool
    reason: str


@dataclass(frozen=True, slots=True)
class AreaCondition:
    """A condition of several nodes at once, in one sector or all over the site.

    `key` is the sector, or "site".
    """

    kind: AlarmKind
    key: str
    nodes: tuple[str, ...]
    sectors: tuple[str, ...]
    active: bool
    reason: str


Observation = (
    Detection
    | Footfalls
    | Presence
    | Plot
    | Contact
    | Claim
    | NoiseFloor
    | NodeCondition
    | AreaCondition
)
# What a connector may deliver: reports of nodes come sealed and by no other way.
FromConnector = Presence | Plot | Contact | Claim
