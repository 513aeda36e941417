# SPDX-License-Identifier: MIT
"""Connectors, udp_plots: a datagram as a plot. Pure.

    {"at_us": 1790000000000000, "x_m": 12.5, "y_m": 3.0, "error_m": 4.0, "class": "person",
     "confidence": 0.8, "track": "17"}

`latitude` and `longitude` may stand in place of `x_m` and `y_m` if the site has an origin.
"""

from __future__ import annotations

import msgspec

from gateway.errors import GroundwatchError
from gateway.model.observation import Covariance, Plot
from gateway.model.place.geodesy import to_local
from gateway.model.place.site import Site
from gateway.model.target import TargetClass

MAX_BYTES = 1024


class PlotMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a datagram holds. The gateway checks the values once more when they are offered."""

    at_us: int
    error_m: float
    x_m: float | None = None
    y_m: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    target: TargetClass = msgspec.field(name="class", default=TargetClass.UNKNOWN)
    confidence: float = 0.5
    track: str = ""


def parse(data: bytes, source: str, site: Site) -> Plot:
    """Raises ValueError for whatever is no such datagram."""
    if len(data) > MAX_BYTES:
        raise ValueError("a datagram has 1024 bytes at most")
    message = msgspec.json.decode(data, type=PlotMessage)
    x_m, y_m = _position(message, site)
    return Plot(
        source=source,
        at_us=message.at_us,
        x_m=x_m,
        y_m=y_m,
        covariance=Covariance.of_error(message.error_m),
        track=message.track,
        target=message.target,
        confidence=message.confidence,
    )


def _position(message: PlotMessage, site: Site) -> tuple[float, float]:
    local, degrees = (message.x_m, message.y_m), (message.latitude, message.longitude)
    if None not in local and degrees == (None, None):
        assert message.x_m is not None and message.y_m is not None
        return message.x_m, message.y_m
    if None in degrees or local != (None, None):
        raise ValueError("either x_m and y_m, or latitude and longitude")
    if site.origin is None:
        raise ValueError("the site has no origin")
    assert message.latitude is not None and message.longitude is not None
    try:
        return to_local(site.origin, message.latitude, message.longitude)
    except GroundwatchError as error:
        raise ValueError(str(error)) from None
