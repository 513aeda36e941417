# SPDX-License-Identifier: MIT
"""Workbench, bench: the loads: heartbeats, and walks that raise alarms."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.wire import seal
from gateway.wire.messages import Detection, Message, Phase, TargetClass
from tools.bench.load.messages import Sealed, health, heartbeat, hello, node_keys, sealed
from tools.bench.load.walks import ZONE_NODES, Report, zone_reports

_HEARTBEAT_S = 60
_FIRST_BACKLOG_S, _FIRST_LIVE_S = 60.0, 8.0  # by when the first walk of each zone has started
_ONSETS_OF_ALARM = 3  # nodes that detect a walk before it must have raised an alarm


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent, in order; `walks` of those that raise an alarm, 0 in a load of heartbeats."""

    messages: Sequence[Sealed]
    detections: int = 0
    walks: int = 0


def heartbeats(nodes: int, count: int) -> Load:
    """A heartbeat of each node in turn: nine tenths of the messages of a site."""
    keys = node_keys(nodes)
    turns = (divmod(number, nodes) for number in range(count))
    return Load([Sealed(0, i, heartbeat(keys[i], i, turn)) for turn, i in turns])


def crossings(nodes: int, count: int) -> Load:
    """What a site kept during an outage: walks in every zone, 3 to 5 nodes each, as one backlog.

    `count` messages: a hello of each node, then detections and heartbeats in order of time.
    """
    seconds = 60.0
    while len(load := _walked(nodes, seconds, _FIRST_BACKLOG_S, count)) < count - nodes:
        seconds *= 2
    return _sealed_load(nodes, load, hello_ms=load[-1][0])


def live_crossings(nodes: int, seconds: float) -> Load:
    """The same walks for so long, to be sent when they are due."""
    due = _walked(nodes, seconds, _FIRST_LIVE_S, None)
    return _sealed_load(nodes, due, hello_ms=0)


_Due = tuple[int, int, Report | None]  # ms, node index; None: a heartbeat


def _walked(nodes: int, seconds: float, first_s: float, count: int | None) -> list[_Due]:
    """Detections and heartbeats by time, `count` less the hellos at most; one load for one size."""
    rng = random.Random(1)
    due: list[_Due] = []
    for zone in range(nodes // ZONE_NODES):
        reports = zone_reports(zone, first_s, seconds, rng)
        due += [(500 * report.tick, report.node, report) for report in reports]
    for index in range(nodes):
        turns = range(int(seconds / _HEARTBEAT_S) + 1)
        due += [(500 + 1000 * _HEARTBEAT_S * turn, index, None) for turn in turns]
    due = [one for one in due if one[0] <= 1000 * seconds]
    return sorted(due, key=lambda one: one[:2])[: count and count - nodes]


def _sealed_load(nodes: int, due: Sequence[_Due], hello_ms: int) -> Load:
    keys = node_keys(nodes)
    messages = [
        Sealed(0, index, sealed(keys[index], index, hello(hello_ms), seal.VOLATILE, 1))
        for index in range(nodes)
    ]
    durable, volatile = [0] * nodes, [1] * nodes
    onsets: dict[tuple[int, int], set[int]] = {}
    message: Message
    for due_ms, index, report in due:
        if report is None:
            volatile[index] += 1
            message, space, seq = health(due_ms), seal.VOLATILE, volatile[index]
        else:
            durable[index] += 1
            message, space, seq = _detection(report), seal.DURABLE, durable[index]
            onsets.setdefault(report.walk, set()).add(index)
        data = sealed(keys[index], index, message, space, seq)
        messages.append(Sealed(due_ms, index, data))
    walks = sum(len(seen) >= _ONSETS_OF_ALARM for seen in onsets.values())
    return Load(messages, sum(durable), walks)


def _detection(report: Report) -> Detection:
    elapsed_s_x10 = 5 * (report.tick - report.onset_tick)
    return Detection(
        t_ms=500 * report.onset_tick,
        phase=report.phase,
        class_=TargetClass.PERSON,
        confidence_pct=report.confidence_pct,
        peak_um_s_x100=round(100 * report.peak_um_s),
        cadence_hz_x20=36,
        pir_count=0,
        elapsed_s_x10=None if report.phase is Phase.ONSET else elapsed_s_x10,
    )
