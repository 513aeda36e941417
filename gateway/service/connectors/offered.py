# SPDX-License-Identifier: MIT
"""Service: observations of a connector are untrusted until checked here. Pure."""

from __future__ import annotations

from dataclasses import replace
from math import hypot, isfinite
from typing import Any

from gateway.model.observation import (
    Claim,
    ClaimKind,
    Contact,
    Covariance,
    FromConnector,
    Plot,
    Presence,
)
from gateway.model.target import TargetClass

MAX_AGE_US = 3_600_000_000  # older than an hour: it was buffered for too long
MAX_AHEAD_US = 1_000_000  # what two clocks may differ
MAX_DISTANCE_M = 100_000.0  # of the site's origin: farther away local metres are no map
MAX_SPEED_M_S = 1_000.0
MAX_TEXT = 64
MAX_NOTE = 200
MAX_ALARM = 1 << 53
MAX_MOVEMENTS = 1_000_000


class OfferedError(ValueError):
    """Why an observation is invalid, without text of the connector."""


def checked(observation: Any, name: str, now_us: int) -> FromConnector:
    """The observation with its source: the connector's name, or "name/part" if the connector named
    a part of itself so. Raises OfferedError."""
    try:
        return _checked(observation, name, now_us)
    except (TypeError, AttributeError, ValueError, OverflowError) as error:
        if isinstance(error, OfferedError):
            raise
        raise OfferedError("it has a field of a wrong type") from None


def _checked(observation: Any, name: str, now_us: int) -> FromConnector:
    if type(observation) not in (Plot, Presence, Contact, Claim):
        raise OfferedError("it is no plot, presence, contact or claim")
    _check_time(observation.at_us, now_us)
    match observation:
        case Plot():
            _check_place(observation.x_m, observation.y_m)
            _check_covariance(observation.covariance)
            _require(type(observation.target) is TargetClass, "its class is unknown")
            _require(0 <= _number(observation.confidence) <= 1, "its confidence is not 0 to 1")
            _check_velocity(observation.vx_m_s, observation.vy_m_s)
            _check_text(observation.track, 0, MAX_TEXT)
        case Presence():
            _check_place(observation.x_m, observation.y_m)
            _require(0 < _number(observation.range_m) <= MAX_DISTANCE_M, "its range is invalid")
            _require(type(observation.movements) is int, "its movements are no whole number")
            _require(0 < observation.movements <= MAX_MOVEMENTS, "its movements are invalid")
        case Contact():
            _check_place(observation.x_m, observation.y_m)
            _check_covariance(observation.covariance)
            _check_text(observation.call_sign, 1, MAX_TEXT)
        case Claim():
            _require(type(observation.alarm_id) is int, "its alarm is no number")
            _require(0 < observation.alarm_id < MAX_ALARM, "its alarm is no number of ours")
            _require(type(observation.kind) is ClaimKind, "its kind is unknown")
            _check_text(observation.by, 1, MAX_TEXT)
            _check_text(observation.note, 0, MAX_NOTE)
    given = observation.source
    _check_text(given, 0, 2 * MAX_TEXT)
    source = given if given.startswith(f"{name}/") else name
    stamped: FromConnector = replace(observation, source=source)
    return stamped


def _check_time(at_us: Any, now_us: int) -> None:
    _require(type(at_us) is int, "its time is no whole number")
    _require(at_us >= now_us - MAX_AGE_US, "it is more than an hour old")
    _require(at_us <= now_us + MAX_AHEAD_US, "it is of the future: check the clocks")


def _check_place(x_m: Any, y_m: Any) -> None:
    _require(hypot(_number(x_m), _number(y_m)) <= MAX_DISTANCE_M, "it is not near the site")


def _check_covariance(covariance: Any) -> None:
    _require(type(covariance) is Covariance, "its covariance is missing")
    for value in (covariance.xx_m2, covariance.yy_m2, covariance.xy_m2):
        _require(abs(_number(value)) <= MAX_DISTANCE_M**2, "its error is not near the site")
    _require(covariance.valid, "its covariance is not positive definite")


def _check_velocity(vx_m_s: Any, vy_m_s: Any) -> None:
    _require((vx_m_s is None) == (vy_m_s is None), "half of its velocity is missing")
    if vx_m_s is not None:
        speed_m_s = hypot(_number(vx_m_s), _number(vy_m_s))
        _require(speed_m_s <= MAX_SPEED_M_S, "its speed is invalid")


def _check_text(text: Any, low: int, high: int) -> None:
    _require(type(text) is str and low <= len(text) <= high, "one of its texts is invalid")
    _require(not text or text.isprintable(), "one of its texts is invalid")


def _number(value: Any) -> float:
    is_number = type(value) in (int, float) and isfinite(value)
    _require(is_number, "one of its numbers is not finite")
    return float(value)


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise OfferedError(problem)
