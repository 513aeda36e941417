# SPDX-License-Identifier: MIT
"""Fusion: gates: whether two observations are too different in time, place or class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.model.event import Event
from gateway.model.observation import Covariance
from gateway.model.target import Phase, TargetClass

# Chi-square with two degrees of freedom: 95 %, 99 % and 99.9 % of true pairs are nearer.
GATE_95 = 5.99
GATE_99 = 9.21
GATE_999 = 13.82
# `error_m` is the root of the sum of both variances: each axis has half of it.
_AXIS = math.sqrt(0.5)
_MAX_AHEAD_S = 20.0  # further ahead a walk is not straight
# No site has positions beyond this: local metres are a plane. Larger variances would overflow.
MAX_PLACE_M = 100_000.0
_MIN_VARIANCE_M2, _MAX_VARIANCE_M2 = 1e-4, 1e8
MAX_SPEED_M_S = 1_000.0
_WANDERS_M_S = 0.7  # how wrong a known velocity may be, and how fast something unknown moves
_UNKNOWN_M_S = {TargetClass.VEHICLE: 8.0, TargetClass.ANIMAL: 3.0}
_UNKNOWN_WALK_M_S = 1.5


@dataclass(frozen=True, slots=True)
class Predicted:
    """Place of an event at a time, metres, and its variance along each axis, square metres."""

    x_m: float
    y_m: float
    variance_m2: float

    def distance_sq(self, x_m: float, y_m: float, error: Covariance) -> float:
        """Mahalanobis distance to a measured position, squared."""
        xx, yy = error.xx_m2 + self.variance_m2, error.yy_m2 + self.variance_m2
        xy, dx, dy = error.xy_m2, x_m - self.x_m, y_m - self.y_m
        return (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy)

    def spread(self, error: Covariance) -> float:
        """ln of the determinant of the summed covariances. It makes an event with a large error
        lose against a precise one: a large error fits any position."""
        xx, yy = error.xx_m2 + self.variance_m2, error.yy_m2 + self.variance_m2
        return math.log(xx * yy - error.xy_m2**2)


def predicted(event: Event, at_us: int) -> Predicted:
    """Position of an evaluated event at a time: extrapolated if its velocity is known."""
    fix = event.fix
    from_us = fix.at_us if fix is not None else event.last_us
    gap_s = (at_us - from_us) / 1e6
    ahead_s = min(max(gap_s, -_MAX_AHEAD_S), _MAX_AHEAD_S)
    x_m, y_m = event.x_m, event.y_m
    drift_m_s = _UNKNOWN_M_S.get(event.target, _UNKNOWN_WALK_M_S)
    is_moving = event.track is not None and event.track.direction_deg is not None
    if fix is not None and is_moving:
        x_m, y_m = fix.x_m + fix.vx_m_s * ahead_s, fix.y_m + fix.vy_m_s * ahead_s
        drift_m_s = max(_WANDERS_M_S, 0.25 * math.hypot(fix.vx_m_s, fix.vy_m_s))
    sigma_m = math.hypot(event.error_m * _AXIS, drift_m_s * gap_s, 0.5)
    return Predicted(x_m, y_m, sigma_m**2)


def is_position(x_m: float, y_m: float, error: Covariance) -> bool:
    """Whether received numbers are a valid position and error; NaN and infinity are not."""
    return (
        math.hypot(x_m, y_m) <= MAX_PLACE_M
        and _MIN_VARIANCE_M2 <= error.xx_m2 <= _MAX_VARIANCE_M2
        and _MIN_VARIANCE_M2 <= error.yy_m2 <= _MAX_VARIANCE_M2
        and error.valid
    )


def compatible(a: TargetClass, b: TargetClass) -> bool:
    """Whether one cause may be classified as both: classes on foot are easily confused."""
    return (a is TargetClass.VEHICLE) == (b is TargetClass.VEHICLE) or TargetClass.UNKNOWN in (a, b)


def may_be_driven(a: TargetClass, b: TargetClass) -> bool:
    """Whether the cause of both may be a vehicle, which is detected from further away. What no node
    could classify may be one."""
    return {a, b} <= {TargetClass.VEHICLE, TargetClass.UNKNOWN}


def agree(a: TargetClass, target: TargetClass) -> bool:
    """Whether a class supports an event classified as `target`."""
    on_foot = {TargetClass.PERSON, TargetClass.GROUP, TargetClass.DIGGING}
    return a in (target, TargetClass.UNKNOWN) or (a in on_foot and target in on_foot)


def busy_elsewhere(events: Sequence[Event], *own: str) -> set[str]:
    """Nodes with a running activity in events other than these."""
    return {
        activity.id.node
        for event in events
        if event.id not in own
        for activity in event.activities
        if activity.phase is not Phase.END
    }
