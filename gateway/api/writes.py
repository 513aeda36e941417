# SPDX-License-Identifier: MIT
"""API: handlers that change something; each leaves an entry in the audit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from gateway.api import acts
from gateway.api.call import ApiError, Call
from gateway.api.schema import answers, bodies
from gateway.api.service import ActResult, UpdateOrder
from gateway.config.fields import ID_PATTERN
from gateway.model import node_settings
from gateway.model.actions.acts import Act
from gateway.model.actions.cue import CueAct
from gateway.model.actions.node_command import NodeCommand, NodeCommandKind
from gateway.model.doubt import Doubt
from gateway.model.place.geodesy import Origin, PositionError
from gateway.model.place.position import Position, of_degrees, of_metres
from gateway.tuning.report import Confirmation

_SECONDS_MAX = {NodeCommandKind.SNIPPET: 8, NodeCommandKind.IDENTIFY: 60}
IMPOSSIBLE = "not possible any more: another person did it before, or it is over"


def act_of(make: Callable[[Call], Act | CueAct]) -> Callable[[Call], Awaitable[msgspec.Struct]]:
    """The handler of an operator's act."""

    async def handler(call: Call) -> answers.Done:
        act = make(call)
        result = await call.service.act(act, call.key)
        return _done(result, getattr(act, "until_us", None))

    handler.__doc__ = make.__doc__
    return handler


async def test_connector(call: Call) -> answers.ConnectorTest:
    """Send a test notification and wait for what comes of it."""
    return await call.service.test_connector(call.id, call.who.name)


async def reload(call: Call) -> answers.Changed:
    """Read schedules, escalation, connectors and the site again."""
    return answers.Changed(changed=await call.service.reload(call.who.name))


async def confirm_doubt(call: Call) -> Doubt:
    """A person vouches for the clock, or accepts the store as it is."""
    body: bodies.ReasonBody = call.body
    reason = acts.line_of("reason", body.reason)
    return await call.service.confirm_doubt(call.id, call.who.name, reason)


async def command_node(call: Call) -> NodeCommand:
    """Ask a node to do something; its outcome comes later."""
    body: bodies.NodeCommandBody = call.body
    most_s = _SECONDS_MAX.get(body.kind)
    if (body.seconds is not None) != (most_s is not None):
        raise ApiError(400, "seconds belongs to snippet and identify, which need it")
    if body.seconds is not None and most_s is not None and body.seconds > most_s:
        raise ApiError(400, f"seconds of a {body.kind.value} command: 1 to {most_s}")
    if (body.settings is not None) != (body.kind is NodeCommandKind.CONFIGURE):
        raise ApiError(400, "settings belongs to configure, which needs it")
    try:
        settings = None if body.settings is None else node_settings.parse(body.settings)
    except node_settings.SettingsError as error:
        raise ApiError(400, str(error)) from None
    return await call.service.command_node(
        call.id,
        body.kind,
        call.who.name,
        acts.line_of("reason", body.reason),
        body.minutes,
        body.seconds,
        settings,
    )


async def place_node(call: Call) -> answers.Changed:
    """Place a node, or move it. site.toml has the position when this returns."""
    body: bodies.PositionBody = call.body
    if not ID_PATTERN.fullmatch(call.id):
        raise ApiError(400, f"{call.id[:32]!r} is no node id: 1 to 16 of a-z 0-9 _ -, as in n07")
    try:
        at = _position(body, call.service.site.origin)
    except PositionError as error:
        raise ApiError(400, str(error)) from None
    changed = await call.service.place_node(call.id, at, body.sector, call.who.name)
    return answers.Changed(changed=changed)


async def tune_node(call: Call) -> NodeCommand:
    """Confirm the proposal for a node's threshold; the outcome of the command comes later."""
    body: bodies.TuningBody = call.body
    given = Confirmation(
        threshold_x10=body.threshold_x10,
        reason=acts.line_of("reason", body.reason),
        days=body.days,
        weeks=body.weeks,
        accept_lost=body.accept_lost,
        who=acts.line_of("who", body.who, least=0),
    )
    return await call.service.tune_node(call.id, given, call.who.name)


async def begin_update(call: Call) -> answers.Update:
    """Bring a release to nodes."""
    body: bodies.UpdateBody = call.body
    order = UpdateOrder(
        file=acts.line_of("file", body.file),
        waves=body.waves,
        max_failures=body.max_failures,
        soak_s=body.soak_s,
        node_timeout_s=body.node_timeout_s,
    )
    return answers.Update(rollout=await call.service.begin_update(order, call.who.name))


async def stop_update(call: Call) -> answers.Update:
    """End the update under way."""
    body: bodies.ReasonBody = call.body
    reason = acts.line_of("reason", body.reason)
    return answers.Update(rollout=await call.service.stop_update(reason, call.who.name))


async def record_export(call: Call) -> answers.Done:
    """Record that an alarm is exported."""
    body: bodies.ExportBody = call.body
    if await call.service.reader.alarm(body.alarm_id) is None:
        raise ApiError(404, f"there is no alarm {body.alarm_id}")
    by = acts.line_of("by", body.by, least=0) or call.who.name
    await call.service.record_export(body.alarm_id, by, acts.line_of("reason", body.reason))
    return answers.Done()


def _position(body: bodies.PositionBody, origin: Origin | None) -> Position:
    """Raises ApiError, PositionError."""
    x_m, y_m, latitude, longitude = body.x_m, body.y_m, body.latitude, body.longitude
    if x_m is not None and y_m is not None and latitude is None and longitude is None:
        return of_metres(x_m, y_m, body.error_m)
    if latitude is not None and longitude is not None and x_m is None and y_m is None:
        if body.error_m is None:
            raise ApiError(400, "latitude and longitude need error_m, the error of the receiver")
        return of_degrees(latitude, longitude, body.error_m, origin)
    raise ApiError(400, "give x_m and y_m, or latitude and longitude")


def _done(result: ActResult, until_us: int | None = None) -> answers.Done:
    if not result.done:
        raise ApiError(409, result.problem or IMPOSSIBLE)
    return answers.Done(until_us=until_us)
