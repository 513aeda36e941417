# SPDX-License-Identifier: MIT
"""API: from a body to what a person does about requests to devices."""

from __future__ import annotations

from gateway.api.acts import line_of
from gateway.api.call import ApiError, Call
from gateway.api.schema import bodies
from gateway.model.actions import cue as cues
from gateway.model.place.geodesy import PositionError, to_local

_MINUTE_US = 60_000_000


def propose(call: Call) -> cues.CueAct:
    """POST /cues. In local metres, or in degrees where the site has an origin."""
    body: bodies.CueBody = call.body
    x_m, y_m = _place(call, body)
    return cues.ProposeCue(
        call.who.name,
        body.device,
        body.kind,
        x_m,
        y_m,
        body.error_m,
        body.minutes * _MINUTE_US,
        body.sector,
        body.alarm_id,
    )


def confirm(call: Call) -> cues.CueAct:
    """POST /cues/{id}/confirm."""
    return cues.ConfirmCue(call.number(), call.who.name)


def withdraw(call: Call) -> cues.CueAct:
    """POST /cues/{id}/withdraw."""
    body: bodies.ReasonBody = call.body
    return cues.WithdrawCue(call.number(), call.who.name, line_of("reason", body.reason))


def set_policy(call: Call) -> cues.CueAct:
    """POST /cue-policies."""
    body: bodies.CuePolicyBody = call.body
    until_us = call.service.clock_us() + body.minutes * _MINUTE_US
    reason = line_of("reason", body.reason)
    return cues.SetCuePolicy(call.who.name, body.sector, body.device, reason, until_us)


def end_policy(call: Call) -> cues.CueAct:
    """POST /cue-policies/{id}/end."""
    body: bodies.ReasonBody = call.body
    return cues.EndCuePolicy(call.number(), call.who.name, line_of("reason", body.reason))


def _place(call: Call, body: bodies.CueBody) -> tuple[float, float]:
    if body.x_m is not None and body.y_m is not None:
        return body.x_m, body.y_m
    origin = call.service.site.origin
    if body.latitude is None or body.longitude is None or origin is None:
        raise ApiError(400, "give x_m and y_m, or latitude and longitude where the site has them")
    try:
        return to_local(origin, body.latitude, body.longitude)
    except PositionError as error:
        raise ApiError(400, str(error)) from None
