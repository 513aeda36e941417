# SPDX-License-Identifier: MIT
"""API: from a body to what an operator does. Minutes come in; the times are the gateway's."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.api.call import ApiError, Call
from gateway.api.schema import bodies
from gateway.model.actions import acts
from gateway.model.actions.overrides import Purpose

_MINUTE_US = 60_000_000


def acknowledge(call: Call) -> acts.Act:
    """POST /alarms/{id}/acknowledge."""
    body: bodies.AcknowledgeBody = call.body
    note = line_of("note", body.note, least=0)
    return acts.Acknowledge(call.number(), call.who.name, body.disposition, note)


def set_mask(call: Call) -> acts.Act:
    """POST /masks."""
    body: bodies.MaskBody = call.body
    sectors = _known("sectors", body.sectors, _sectors(call))
    nodes = _known("nodes", body.nodes, call.service.site.nodes)
    if not sectors and not nodes:
        raise ApiError(400, "name at least one sector or node to mask")
    reason, until_us = line_of("reason", body.reason), _until_us(call, body.minutes)
    return acts.SetMask(call.who.name, reason, until_us, sectors, nodes)


def lift_mask(call: Call) -> acts.Act:
    """POST /masks/{id}/lift."""
    return acts.LiftMask(call.number(), call.who.name, _reason(call))


def announce_walk(call: Call) -> acts.Act:
    """POST /walks."""
    body: bodies.WalkBody = call.body
    return _announce(call, body, body.purpose)


def announce_walk_test(call: Call) -> acts.Act:
    """POST /walktests."""
    return _announce(call, call.body, Purpose.WALK_TEST)


def withdraw_walk(call: Call) -> acts.Act:
    """POST /walks/{id}/withdraw."""
    return acts.WithdrawWalk(call.number(), call.who.name, _reason(call))


def set_arming(call: Call) -> acts.Act:
    """POST /sectors/{id}/arming."""
    body: bodies.ArmingBody = call.body
    reason, until_us = line_of("reason", body.reason), _until_us(call, body.minutes)
    return acts.SetArming(call.who.name, _sector(call), body.armed, reason, until_us)


def resume_schedule(call: Call) -> acts.Act:
    """POST /sectors/{id}/resume."""
    return acts.ResumeSchedule(call.who.name, _sector(call), _reason(call))


def line_of(name: str, written: str, least: int = 1) -> str:
    """Printable text in one line, stripped. Raises ApiError."""
    text = written.strip()
    if len(text) < least:
        raise ApiError(400, f"{name} must not be empty")
    if not text.isprintable():
        raise ApiError(400, f"{name} must be text in one line")
    return text


def _announce(call: Call, body: bodies.WalkTestBody, purpose: Purpose) -> acts.AnnounceWalk:
    sectors = _known("sectors", body.sectors, _sectors(call))
    if not sectors:
        raise ApiError(400, "name at least one sector")
    from_us = _until_us(call, body.starts_in_minutes)
    return acts.AnnounceWalk(
        by=call.who.name,
        who=line_of("who", body.who),
        from_us=from_us,
        until_us=from_us + body.minutes * _MINUTE_US,
        sectors=sectors,
        purpose=purpose,
        crossings=body.crossings,
    )


def _until_us(call: Call, minutes: int) -> int:
    return call.service.clock_us() + minutes * _MINUTE_US


def _reason(call: Call) -> str:
    body: bodies.ReasonBody = call.body
    return line_of("reason", body.reason)


def _sectors(call: Call) -> set[str]:
    return {node.sector for node in call.service.site.nodes.values()}


def _sector(call: Call) -> str:
    if call.id not in _sectors(call):
        raise ApiError(400, f"{call.id[:32]!r} is not a sector of this site")
    return call.id


def _known(key: str, names: tuple[str, ...], known: Iterable[str]) -> tuple[str, ...]:
    """Each once. Raises ApiError for one that the site does not have."""
    there = set(known)
    if len(names) > len(there):
        raise ApiError(400, f"{key} names more than the site has")
    for name in names:
        if name not in there:
            raise ApiError(400, f"{key}: {name[:32]!r} is not known here")
    return tuple(dict.fromkeys(names))
