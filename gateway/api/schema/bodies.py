# SPDX-License-Identifier: MIT
"""API: what may be sent: bodies and queries, each a struct with its limits.

Durations come in as minutes; the gateway's clock makes times of them.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.alarms.rules import MAX_AHEAD_US, MAX_ORDER_US, MAX_WALK_US
from gateway.model.actions.cue import CueKind
from gateway.model.actions.node_command import NodeCommandKind
from gateway.model.actions.overrides import Purpose
from gateway.model.alarm import AlarmKind, Disposition
from gateway.model.node_settings import THRESHOLD_X10
from gateway.model.place.geodesy import MAX_ERROR_M
from gateway.model.target import TargetClass
from gateway.performance.monitored_time import MAX_KEPT_DAYS
from gateway.store.reader import MAX_LIMIT
from gateway.tuning.bounds import DEFAULT_DAYS, DEFAULT_WEEKS, MAX_DAYS, MAX_WEEKS

_MINUTE_US = 60_000_000
MAX_NAMES = 10_000
# Enough for every sector and node of a large site in one mask.
MAX_BODY_BYTES = 256 * 1024

# One printable line. What is printable Python decides (str.isprintable), not this pattern.
_LINE = r"^[^\u0000-\u001f\u007f]*$"
Reason = Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE, examples=["mowing"])]
Note = Annotated[str, Meta(max_length=200, pattern=_LINE)]
Who = Annotated[str, Meta(min_length=1, max_length=60, pattern=_LINE, examples=["Ben and Mia"])]
Person = Annotated[str, Meta(max_length=32, pattern=_LINE)]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=_LINE)]
SettingValue = int | Annotated[str, Meta(max_length=40)]
Names = Annotated[tuple[Name, ...], Meta(max_length=MAX_NAMES)]
OrderMinutes = Annotated[int, Meta(ge=1, le=MAX_ORDER_US // _MINUTE_US, examples=[60])]
WalkMinutes = Annotated[int, Meta(ge=1, le=MAX_WALK_US // _MINUTE_US, examples=[30])]
AheadMinutes = Annotated[int, Meta(ge=0, le=MAX_AHEAD_US // _MINUTE_US)]
Crossings = Annotated[int, Meta(ge=1, le=100)]
Metres = Annotated[float, Meta(ge=-150_000, le=150_000)]
Id = Annotated[int, Meta(ge=1, lt=1 << 53)]
Time = Annotated[int, Meta(ge=0, lt=1 << 53, description="UTC microseconds")]
Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT)]
Days = Annotated[int, Meta(ge=1, le=MAX_KEPT_DAYS)]
Weeks = Annotated[int, Meta(ge=1, le=MAX_WEEKS)]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON object in which every key is known."""


class Nothing(Body, frozen=True, kw_only=True):
    """An empty object: {}."""


class AcknowledgeBody(Body, frozen=True, kw_only=True):
    """Acknowledge an alarm; the disposition is its cause as assessed."""

    disposition: Disposition | None = None
    note: Note = ""


class CueBody(Body, frozen=True, kw_only=True):
    """A request to a device to look or to fly somewhere; it is void after `minutes`."""

    device: Name
    kind: CueKind = CueKind.LOOK
    x_m: Metres | None = None
    y_m: Metres | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    error_m: Annotated[float, Meta(ge=0, le=10_000)] = 10.0
    minutes: Annotated[int, Meta(ge=1, le=60, examples=[5])] = 5
    sector: Annotated[str, Meta(max_length=64, pattern=_LINE)] = ""
    alarm_id: Id | None = None


class CuePolicyBody(Body, frozen=True, kw_only=True):
    """A supervisor confirms in advance that a device looks into a sector, for a while."""

    device: Name
    sector: Name
    reason: Reason
    minutes: Annotated[int, Meta(ge=1, le=720, examples=[480])]


class MaskBody(Body, frozen=True, kw_only=True):
    """Mask intrusion alarms of sectors or single nodes; name at least one."""

    minutes: OrderMinutes
    reason: Reason
    sectors: Names = ()
    nodes: Names = ()


class ReasonBody(Body, frozen=True, kw_only=True):
    """Why."""

    reason: Reason


class WalkTestBody(Body, frozen=True, kw_only=True):
    """Announce a walk test over the line."""

    sectors: Names
    minutes: WalkMinutes
    who: Who
    starts_in_minutes: AheadMinutes = 0
    crossings: Crossings = 1


class WalkBody(WalkTestBody, frozen=True, kw_only=True):
    """Schedule authorised activity: a patrol or a walk test."""

    purpose: Purpose = Purpose.PATROL


class ArmingBody(Body, frozen=True, kw_only=True):
    """Arm or disarm a sector for a while, against its schedule."""

    armed: bool
    minutes: OrderMinutes
    reason: Reason


class UpdateBody(Body, frozen=True, kw_only=True):
    """Bring the release in `file`, a path on the gateway's machine, to the nodes in waves."""

    file: Annotated[str, Meta(min_length=1, max_length=4096, pattern=_LINE)]
    waves: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=4096)], ...],
        Meta(min_length=1, max_length=64),
    ]
    max_failures: Annotated[int, Meta(ge=0, le=1000)] = 0
    soak_s: Annotated[int, Meta(ge=0, le=7 * 24 * 3600)] = 60
    node_timeout_s: Annotated[int, Meta(ge=0, le=30 * 24 * 3600)] = 3600


class NodeCommandBody(Body, frozen=True, kw_only=True):
    """A command to a node. It is void after `minutes`; without them after 5, and for a node in
    radio burst after two more of its contacts. `seconds`: the length of a snippet, 1 to 8, or for
    how long the LED blinks, 1 to 60. `settings`: what a `configure` changes, by name."""

    kind: NodeCommandKind
    reason: Reason
    minutes: Annotated[int, Meta(ge=1, le=24 * 60, examples=[5])] | None = None
    seconds: Annotated[int, Meta(ge=1, le=60, examples=[6])] | None = None
    settings: Annotated[dict[Name, SettingValue], Meta(min_length=1, max_length=16)] | None = None


class PositionBody(Body, frozen=True, kw_only=True):
    """The position of a node: `x_m` and `y_m`, or `latitude` and `longitude`. `error_m` is the
    radius that holds it in 2 of 3 cases; metres without it were measured. `sector` is for a node
    that the site does not have yet."""

    x_m: Metres | None = None
    y_m: Metres | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    error_m: Annotated[float, Meta(gt=0, le=MAX_ERROR_M, examples=[1.5])] | None = None
    sector: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{0,16}(?!\n)$", examples=["gate"])] = ""


class TuningBody(Body, frozen=True, kw_only=True):
    """Confirm the proposal for a node's threshold, in tenths of a unit of log-odds. `accept_lost`:
    how many confirmed detections it would have lost. After `days` it is proposed to go back."""

    threshold_x10: Annotated[int, Meta(ge=THRESHOLD_X10.low, le=THRESHOLD_X10.high, examples=[5])]
    reason: Reason
    days: Annotated[int, Meta(ge=1, le=MAX_DAYS, examples=[30])] = DEFAULT_DAYS
    weeks: Weeks = DEFAULT_WEEKS
    accept_lost: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    who: Person = ""


class ExportBody(Body, frozen=True, kw_only=True):
    """Record that an alarm is exported; `by` names the person when a program asks for them."""

    alarm_id: Id
    reason: Reason
    by: Person = ""


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Query parameters, each at most once."""


class NoQuery(Query, frozen=True, kw_only=True):
    """No parameters."""


class PictureQuery(Query, frozen=True, kw_only=True):
    """`since`: the `cursor` of an earlier answer; empty: everything. `kinds`: comma-separated kinds
    of things; empty: all."""

    since: Annotated[str, Meta(max_length=64)] = ""
    kinds: Annotated[str, Meta(max_length=200)] = ""


class AlarmsQuery(Query, frozen=True, kw_only=True):
    """Search of stored alarms, newest first; times are those of raising."""

    state: Literal["open", "closed", "active", "unacknowledged"] | None = None
    kind: AlarmKind | None = None
    sector: Name | None = None
    from_us: Time | None = None
    to_us: Time | None = None
    text: Annotated[str, Meta(max_length=100)] = ""
    cursor: Id | None = None
    limit: Limit = 100


class DetectionsQuery(Query, frozen=True, kw_only=True):
    """Search of stored detections, newest first; times are those of the onset."""

    node: Name | None = None
    target: TargetClass | None = msgspec.field(name="class", default=None)
    from_us: Time | None = None
    to_us: Time | None = None
    cursor: Id | None = None
    limit: Limit = 100


class DaysQuery(Query, frozen=True, kw_only=True):
    """The last `days` days, today included."""

    days: Days = 30


class WeeksQuery(Query, frozen=True, kw_only=True):
    """The last `weeks` weeks."""

    weeks: Weeks = DEFAULT_WEEKS
