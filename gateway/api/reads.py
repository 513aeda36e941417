# SPDX-License-Identifier: MIT
"""API: handlers that read: the picture, the store, the measured performance."""

from __future__ import annotations

import msgspec

from gateway.api.call import ApiError, Call
from gateway.api.geo import features
from gateway.api.schema import answers, bodies
from gateway.model import view
from gateway.model.actions.node_command import NodeCommand
from gateway.model.place.geojson import NoOrigin
from gateway.model.target import TargetClass
from gateway.node_commands.lines import NodeLog
from gateway.node_commands.snippets import Waveform
from gateway.store.reader import AlarmSearch, Change, DetectionSearch
from gateway.tuning.report import TuningReport


async def get_nodes(call: Call) -> answers.Nodes:
    """All nodes as they are now."""
    nodes = dict(call.service.picture.all(view.NODE))
    by_name = [nodes[name] for name in sorted(nodes)]
    return answers.Nodes(nodes=by_name, now_us=call.service.clock_us())


async def get_node(call: Call) -> view.NodeView:
    """One node as it is now."""
    node: view.NodeView | None = call.service.picture.get(view.NODE, call.id)
    if node is None:
        raise ApiError(404, f"there is no node {call.id[:32]!r}")
    return node


async def get_doubts(call: Call) -> answers.Doubts:
    """What a person must confirm."""
    return answers.Doubts(doubts=call.service.doubts(), now_us=call.service.clock_us())


async def get_tuning(call: Call) -> TuningReport:
    """Unwanted detections of each node, and proposals for its threshold."""
    query: bodies.WeeksQuery = call.query
    return await call.service.tuning(query.weeks)


async def get_node_commands(call: Call) -> answers.NodeCommands:
    """Commands to a node, the newest first."""
    await get_node(call)
    return answers.NodeCommands(commands=call.service.node_commands(call.id))


async def get_node_command(call: Call) -> NodeCommand:
    """One command and its result."""
    number = call.number()
    command = call.service.node_command(number)
    if command is None:
        raise ApiError(404, f"there is no command {number}")
    return command


async def get_waveform(call: Call) -> Waveform:
    """The waveform that a node sent in answer."""
    command = await get_node_command(call)
    waveform = await call.service.waveform(command)
    if waveform is None:
        raise ApiError(404, f"{command.node} has sent no part of a waveform for it")
    return waveform


async def get_node_log(call: Call) -> NodeLog:
    """The lines that a node sent in answer."""
    command = await get_node_command(call)
    log = await call.service.node_log(command)
    if log is None:
        raise ApiError(404, f"{command.node} has sent no line for it")
    return log


async def get_tracks(call: Call) -> answers.Tracks:
    """What moves now."""
    return answers.Tracks(tracks=[track for _id, track in call.service.picture.all(view.TRACK)])


async def get_cues(call: Call) -> answers.Cues:
    """Requests to devices."""
    cues = [cue for _id, cue in call.service.picture.all(view.CUE)]
    return answers.Cues(cues=sorted(cues, key=lambda cue: cue.id))


async def get_connectors(call: Call) -> answers.Connectors:
    """State of each connector."""
    return answers.Connectors(connectors=dict(call.service.picture.all(view.CONNECTOR)))


async def get_detections(call: Call) -> answers.Detections:
    """Search of stored detections."""
    query: bodies.DetectionsQuery = call.query
    target: TargetClass | None = query.target
    search = DetectionSearch(
        node=query.node,
        target=target.value if target is not None else None,
        from_us=query.from_us,
        to_us=query.to_us,
        before_id=query.cursor,
        limit=query.limit,
    )
    found = await call.service.reader.detections(search)
    return answers.Detections(detections=found.items, cursor=found.cursor)


async def get_alarms(call: Call) -> answers.Alarms:
    """Search of stored alarms."""
    query: bodies.AlarmsQuery = call.query
    search = AlarmSearch(
        state=query.state,
        kind=query.kind.value if query.kind is not None else None,
        sector=query.sector,
        from_us=query.from_us,
        to_us=query.to_us,
        text=query.text,
        before_id=query.cursor,
        limit=query.limit,
    )
    found = await call.service.reader.alarms(search)
    site = call.service.site
    alarms = [view.view_alarm(site, alarm) for alarm in found.items]
    return answers.Alarms(alarms=alarms, cursor=found.cursor)


async def get_alarm(call: Call) -> answers.AlarmDetail:
    """One alarm with its history."""
    number = call.number()
    alarm = await call.service.reader.alarm(number)
    if alarm is None:
        raise ApiError(404, f"there is no alarm {number}")
    history = await call.service.reader.alarm_history(number)
    return answers.AlarmDetail(
        alarm=view.view_alarm(call.service.site, alarm),
        detections=[str(activity) for activity in alarm.detections],
        history=[_item(change) for change in history],
    )


async def get_performance(call: Call) -> answers.Performance:
    """Measured performance of the last days."""
    query: bodies.DaysQuery = call.query
    return msgspec.convert(await call.service.measured(query.days), answers.Performance)


async def get_walk_tests(call: Call) -> answers.WalkTests:
    """Walk tests, and what was detected of them."""
    report = await get_performance(call)
    return answers.WalkTests(
        announced=call.service.walk_tests(),
        detection=report.detection,
        unwatched=report.unwatched,
    )


async def get_update(call: Call) -> answers.Update:
    """The newest update of nodes."""
    return answers.Update(rollout=call.service.update())


async def get_geojson(call: Call) -> answers.GeoJson:
    """Nodes, sectors, tracks and open alarms as a FeatureCollection."""
    try:
        found = features(call.service.picture, call.service.site)
    except NoOrigin as error:
        raise ApiError(409, str(error)) from None
    return answers.GeoJson(type="FeatureCollection", features=found)


def _item(change: Change) -> answers.HistoryItem:
    alarm = change.alarm
    return answers.HistoryItem(
        at_us=change.at_us,
        change=change.change,
        by=change.by,
        state=alarm.state,
        priority=alarm.priority,
        confidence=alarm.confidence,
        nodes=alarm.nodes,
        reasons=alarm.reasons,
        note=alarm.note,
    )
