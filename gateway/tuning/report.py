# SPDX-License-Identifier: MIT
"""Tuning: what is reported of a site, as structs: the table, the JSON and the API's answer."""

from __future__ import annotations

import msgspec

from gateway.tuning.bounds import DEFAULT_WEEKS
from gateway.tuning.propose import Action

# [value, low, high], 95 % exact; null where nothing was measured or nothing bounds it.
Interval = tuple[float | None, float | None, float | None]


class ConfirmedDetection(msgspec.Struct, frozen=True, kw_only=True):
    """A detection that was confirmed; `because` names the alarm or the walk."""

    node: str
    boot: int
    onset_ms: int
    onset_us: int
    target: str
    confidence_pct: int
    because: str


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """`removed`: unwanted detections that would not have come, at most. `lost`: the confirmed ones
    that would not have come."""

    action: Action
    threshold_x10: int | None
    why: str
    removed: int = 0
    lost: tuple[ConfirmedDetection, ...] = ()


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """A change that a supervisor confirmed, from the audit. `base_x10`: the threshold before any
    tuning; `until_us` None: it does not end."""

    node: str
    before_x10: int
    after_x10: int
    base_x10: int
    by: str
    who: str
    reason: str
    at_us: int
    until_us: int | None
    command_id: int


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """What a supervisor confirms: the threshold as it is proposed, and how many confirmed
    detections it would have lost. `who` is the person where a program or a shared login asks."""

    threshold_x10: int
    reason: str
    days: int
    accept_lost: int = 0
    who: str = ""
    weeks: int = DEFAULT_WEEKS


class HourRate(msgspec.Struct, frozen=True, kw_only=True):
    """Unwanted detections of one class in one hour of the day, per hour that counts."""

    hour: int
    target: str
    count: int
    per_hour: Interval


class NodeQuiet(msgspec.Struct, frozen=True, kw_only=True):
    """One node at its present threshold, since `since_us`. Hours in `excluded_h` do not count, by
    the reason. `unwanted` = `false` + `unconfirmed`, in hours that count. `no_exposure`: detections
    in time without heartbeats, left out. `uncertain`: detections in hours that do not count,
    neither confirmed nor animal. `quiet_by_hour_h`: hours that count, by hour of day."""

    node: str
    sector: str
    threshold_x10: int | None
    since_us: int
    listened_h: float
    quiet_h: float
    excluded_h: dict[str, float]
    unwanted: int
    false: int
    unconfirmed: int
    animal: int
    unassessed: int
    uncertain: int
    confirmed: int
    no_exposure: int
    per_day: Interval
    quiet_by_hour_h: tuple[float, ...]
    rates: tuple[HourRate, ...]
    proposal: Proposal
    tuning: Tuning | None = None


class TuningReport(msgspec.Struct, frozen=True, kw_only=True):
    """`zone` is that of the hours of the day. `left_out`: stored rows that could not be read, or
    whose time or value is not possible."""

    from_us: int
    until_us: int
    zone: str
    left_out: int
    nodes: tuple[NodeQuiet, ...]
