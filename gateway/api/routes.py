# SPDX-License-Identifier: MIT
"""API: the table of routes: the server is built from it, and so is the OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from gateway.api import acts, cues, reads, writes
from gateway.api.call import Call
from gateway.api.idempotency import ACT_S
from gateway.api.schema import answers, bodies
from gateway.model.actions.identity import Scope
from gateway.model.actions.node_command import NodeCommand
from gateway.model.doubt import Doubt
from gateway.model.view import NodeView
from gateway.node_commands.lines import NodeLog
from gateway.node_commands.snippets import Waveform
from gateway.tuning.report import TuningReport

_ADMIN_S = 35.0  # a test of a connector takes up to 28 s

Handler = Callable[[Call], Awaitable[msgspec.Struct]]
Types = type[msgspec.Struct]


class Route(NamedTuple):
    """One operation. `scope`: the least that a caller needs. `act`: it takes an Idempotency-Key.

    Reads have a query, others a body. `handler` is None for what the server itself answers. A
    caller waits at most `wait_s` for an act; it goes on all the same.
    """

    method: str
    path: str
    name: str
    handler: Handler | None
    answer: Types
    scope: Scope
    summary: str
    query: Types = bodies.NoQuery
    body: Types | None = None
    act: bool = False
    wait_s: float = ACT_S


def _get(
    path: str,
    name: str,
    handler: Handler | None,
    answer: Types,
    summary: str,
    query: Types = bodies.NoQuery,
    scope: Scope = Scope.READ,
) -> Route:
    return Route("GET", path, name, handler, answer, scope, summary, query)


def _act(path: str, name: str, handler: Handler, body: Types, summary: str) -> Route:
    return Route("POST", path, name, handler, answers.Done, Scope.ACT, summary, body=body, act=True)


def _admin(
    path: str, name: str, handler: Handler, answer: Types, body: Types, summary: str
) -> Route:
    return Route(
        "POST",
        path,
        name,
        handler,
        answer,
        Scope.ADMIN,
        summary,
        body=body,
        act=True,
        wait_s=_ADMIN_S,
    )


_act_of = writes.act_of

ROUTES: tuple[Route, ...] = (
    _get("/picture", "getPicture", None, answers.PictureView,
         "Everything that is true now, or what has changed since a cursor", bodies.PictureQuery),
    _get("/stream", "getStream", None, answers.PictureView,
         "The same as server-sent events: picture, changes and heartbeats", bodies.PictureQuery),
    _get("/openapi.json", "getOpenApi", None, answers.Document, "This document"),
    _get("/nodes", "getNodes", reads.get_nodes, answers.Nodes, "All nodes as they are now"),
    _get("/nodes/{id}", "getNode", reads.get_node, NodeView, "One node as it is now"),
    _get("/nodes/{id}/commands", "getNodeCommands", reads.get_node_commands, answers.NodeCommands,
         "Commands to a node, the newest first"),
    _admin("/nodes/{id}/commands", "commandNode", writes.command_node, NodeCommand,
           bodies.NodeCommandBody, "Ask a node to do something; its outcome comes later"),
    _admin("/nodes/{id}/position", "placeNode", writes.place_node, answers.Changed,
           bodies.PositionBody, "Place a node of the site, or move it"),
    _get("/node-commands/{id}", "getNodeCommand", reads.get_node_command, NodeCommand,
         "One command and what became of it"),
    _get("/node-commands/{id}/waveform", "getWaveform", reads.get_waveform, Waveform,
         "The waveform that a node sent in answer", scope=Scope.ADMIN),
    _get("/node-commands/{id}/log", "getNodeLog", reads.get_node_log, NodeLog,
         "The lines that a node sent in answer", scope=Scope.ADMIN),
    _get("/detections", "getDetections", reads.get_detections, answers.Detections,
         "Search of stored detections", bodies.DetectionsQuery),
    _get("/tracks", "getTracks", reads.get_tracks, answers.Tracks, "What moves now"),
    _get("/alarms", "getAlarms", reads.get_alarms, answers.Alarms,
         "Search of stored alarms", bodies.AlarmsQuery),
    _get("/alarms/{id}", "getAlarm", reads.get_alarm, answers.AlarmDetail,
         "One alarm with its detections and history"),
    _act("/alarms/{id}/acknowledge", "acknowledgeAlarm", _act_of(acts.acknowledge),
         bodies.AcknowledgeBody, "Acknowledge an alarm; optionally assess it"),
    _act("/masks", "setMask", _act_of(acts.set_mask), bodies.MaskBody,
         "Mask intrusion alarms of sectors or nodes"),
    _act("/masks/{id}/lift", "liftMask", _act_of(acts.lift_mask), bodies.ReasonBody,
         "End a mask before its time"),
    _act("/walks", "announceWalk", _act_of(acts.announce_walk), bodies.WalkBody,
         "Schedule authorised activity"),
    _act("/walks/{id}/withdraw", "withdrawWalk", _act_of(acts.withdraw_walk), bodies.ReasonBody,
         "End an announcement before its time"),
    _act("/walktests", "announceWalkTest", _act_of(acts.announce_walk_test), bodies.WalkTestBody,
         "Announce a walk test over the line"),
    _act("/sectors/{id}/arming", "setArming", _act_of(acts.set_arming), bodies.ArmingBody,
         "Arm or disarm a sector for a while"),
    _act("/sectors/{id}/resume", "resumeSchedule", _act_of(acts.resume_schedule),
         bodies.ReasonBody, "Give a sector back to its schedule"),
    _get("/cues", "getCues", reads.get_cues, answers.Cues, "Requests to devices"),
    _act("/cues", "proposeCue", _act_of(cues.propose), bodies.CueBody,
         "Propose that a device looks or flies somewhere"),
    _act("/cues/{id}/confirm", "confirmCue", _act_of(cues.confirm), bodies.Nothing,
         "Confirm a proposed cue: a flight needs two people"),
    _act("/cues/{id}/withdraw", "withdrawCue", _act_of(cues.withdraw), bodies.ReasonBody,
         "End a cue before its time"),
    _admin("/cue-policies", "setCuePolicy", _act_of(cues.set_policy), answers.Done,
           bodies.CuePolicyBody, "Confirm looks of a device into a sector, for a while"),
    _admin("/cue-policies/{id}/end", "endCuePolicy", _act_of(cues.end_policy), answers.Done,
           bodies.ReasonBody, "End such a policy before its time"),
    _get("/geojson", "getGeoJson", reads.get_geojson, answers.GeoJson,
         "Nodes, sectors, tracks and open alarms as GeoJSON"),
    _get("/performance", "getPerformance", reads.get_performance, answers.Performance,
         "Measured performance of the last days", bodies.DaysQuery, Scope.ADMIN),
    _get("/walktests", "getWalkTests", reads.get_walk_tests, answers.WalkTests,
         "Walk tests and what was detected of them", bodies.DaysQuery, Scope.ADMIN),
    _get("/tuning", "getTuning", reads.get_tuning, TuningReport,
         "Unwanted detections of each node, and proposals for its threshold", bodies.WeeksQuery,
         Scope.ADMIN),
    _admin("/nodes/{id}/tuning", "tuneNode", writes.tune_node, NodeCommand, bodies.TuningBody,
           "Confirm the proposal for a node's threshold"),
    _get("/connectors", "getConnectors", reads.get_connectors, answers.Connectors,
         "How each connector is"),
    _admin("/connectors/{id}/test", "testConnector", writes.test_connector, answers.ConnectorTest,
           bodies.Nothing, "Send a test notification"),
    _get("/updates", "getUpdate", reads.get_update, answers.Update, "The newest update of nodes"),
    _admin("/updates", "beginUpdate", writes.begin_update, answers.Update, bodies.UpdateBody,
           "Bring a release to nodes"),
    _admin("/updates/stop", "stopUpdate", writes.stop_update, answers.Update, bodies.ReasonBody,
           "End the update under way"),
    _admin("/reload", "reload", writes.reload, answers.Changed, bodies.Nothing,
           "Read schedules, escalation, connectors and the site again"),
    _get("/doubts", "getDoubts", reads.get_doubts, answers.Doubts,
         "What a person must confirm: the clock or the store is not what it was"),
    _admin("/doubts/{id}/confirm", "confirmDoubt", writes.confirm_doubt, Doubt, bodies.ReasonBody,
           "Vouch for the clock, or accept the store as it is"),
    _admin("/exports", "recordExport", writes.record_export, answers.Done, bodies.ExportBody,
           "Record that an alarm is exported"),
)  # fmt: skip
