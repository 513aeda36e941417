# SPDX-License-Identifier: MIT
"""Score: the nodes' reports through the real gateway: intake, fusion and alarm manager.

Reports are sealed as nodes seal them and pass the same stages as live and in replay, over a link
that may lose some of them.
"""

from __future__ import annotations

import hashlib
import math
import random
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.alarms import AlarmRules
from gateway.alarms.confirmation import CONFIRMED, SINGLE
from gateway.alarms.schedule import Schedule, parse_windows
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.fusion.rules import ALARMABLE
from gateway.keys import KeyRing, NodeKeys
from gateway.model.event import Event
from gateway.model.place.site import Site
from gateway.service.outcome import Outcome
from gateway.service.stages import Stages
from gateway.wire import codec, seal
from gateway.wire import messages as wire
from gateway.wire.topics import uplink_topic
from sim_hardware.fastpath import Footfalls, Report
from sim_hardware.site import Site as GroundSite
from sim_hardware.site import write_site
from sim_hardware.virtual import Pace
from tools.score.observe import Observation
from tools.score.walktest import calibrated

ZERO_US = 1_767_225_600_000_000  # 2026-01-01, so that nothing is negative
_TICK_US = 1_000_000
_HELLO_MS = 2_000
_HEALTH_MS = 60_000
_ROOT = hashlib.sha256(b"groundwatch score").digest()
_SEQ_MAX = 0xFFFF
Up = tuple[int, str, bytes]


def alarm_lines(seen: Observation, policy: str = SINGLE) -> list[dict[str, Any]]:
    """`alarm` and `alarm_update` lines of a whole run, times in seconds of the take. And an `event`
    line at each report of an event that can raise an alarm or has one."""
    lines: list[dict[str, Any]] = []
    for at_us, stages, outcome in played(seen, policy):
        lines += outcome.lines(ZERO_US)
        lines += _events(stages, at_us)
    return [line for line in lines if line["type"] in ("alarm", "alarm_update", "event")]


def played(seen: Observation, policy: str = SINGLE) -> Iterator[tuple[int, Stages, Outcome]]:
    """The gateway after each uplink and each second in which an event can end, and its outcome;
    with one alarm policy for all sectors at all times."""
    known, keys = _keys(seen.site)
    if seen.calibration is not None:
        known = calibrated(known, seen.calibration)
    stages = Stages(known, keys, alarm_rules=_alarm_rules(known, policy))
    ups = sorted(
        up
        for node in seen.site.nodes
        for up in _uplinks(known.name, node.id, keys[node.id].accepted[0], seen)
    )
    tick_us = _start_us(seen)
    for at_us, topic, payload in ups:
        while tick_us < at_us:
            # Without an open event there is nothing to end: skip to the next message.
            if not stages.monitor.state.fusion.events:
                tick_us = at_us
                break
            yield tick_us, stages, stages.tick(tick_us)
            tick_us += _TICK_US
        yield at_us, stages, stages.uplink(at_us, topic, payload)
    end_us = ZERO_US + round((seen.truth.duration_s + Pace().settle_s) * 1e6)
    while tick_us < end_us and stages.monitor.state.fusion.events:
        yield tick_us, stages, stages.tick(tick_us)
        tick_us += _TICK_US
    stages.take_writes()


def _alarm_rules(site: Site, policy: str) -> AlarmRules:
    sectors = {node.id: node.sector for node in site.nodes.values()}
    always = Schedule(ZoneInfo("UTC"), parse_windows("mon-sun 00:00-24:00"), "always")
    confirmed = dict.fromkeys(sectors.values(), always) if policy == CONFIRMED else {}
    return AlarmRules(sectors, confirmed=confirmed)


def _events(stages: Stages, at_us: int) -> list[dict[str, Any]]:
    touched = [event for event in stages.monitor.state.fusion.events if event.evaluated_us == at_us]
    if not touched:
        return []
    alarms = {alarm.key: alarm.id for alarm in stages.monitor.state.alarms.open}
    return [
        event_line(event, alarms.get(event.id))
        for event in touched
        if event.target in ALARMABLE or event.confirmed
    ]


def event_line(event: Event, alarm: int | None) -> dict[str, Any]:
    """An event as stated at its newest report."""
    return {
        "type": "event",
        "event": event.id,
        "alarm": alarm,
        "t_s": (event.last_us - ZERO_US) / 1e6,
        "nodes": list(event.nodes),
        "confidence": event.confidence,
        "x_m": event.x_m,
        "y_m": event.y_m,
        "error_m": event.error_m,
        "ellipse": event.ellipse,
    }


@cache
def _keys(site: GroundSite) -> tuple[Site, dict[str, KeyRing]]:
    with tempfile.TemporaryDirectory(prefix="groundwatch-") as folder:
        path = Path(folder) / "site.toml"
        write_site(site, path)
        known = load_site(path)
    return known, site_keys(known, _ROOT)


def _start_us(seen: Observation) -> int:
    return ZERO_US - round(seen.lead_s * 1e6)


def _uplinks(
    site: str,
    node: str,
    keys: NodeKeys,
    seen: Observation,
) -> list[Up]:
    topic = uplink_topic(site, node)
    ups: list[Up] = []
    # A dead node sends no more heartbeats.
    end_s = min(seen.truth.duration_s, seen.truth.dead_from_s.get(node, math.inf))
    last_ms = round((end_s + seen.lead_s) * 1000)
    volatile: list[tuple[int, wire.UpMessage]] = [(_HELLO_MS, _hello(_HELLO_MS))]
    volatile += [
        (t_ms, _health(t_ms, seen.floor_um_s(node, t_ms / 1000 - seen.lead_s)))
        for t_ms in range(_HEALTH_MS, last_ms, _HEALTH_MS)
    ]
    if seen.clock_ms is not None:
        volatile += [
            (one.reported_ms, _footfalls(one, seen, node, seen.clock_ms))
            for one in seen.footfalls[node]
            if one.reported_ms < last_ms
        ]
    volatile.sort(key=lambda pair: pair[0])
    sent = [(1, seq, message, t_ms) for seq, (t_ms, message) in enumerate(volatile, 1)]
    sent += [
        (0, seq, _detection(one), one.reported_ms) for seq, one in enumerate(seen.reports[node], 1)
    ]
    for space, seq, message, t_ms in sent:
        data = _sealed(topic, keys, space, seq, message)
        sent_us = _start_us(seen) + t_ms * 1000
        for at_us in seen.link.arrivals(f"{node}/{space}/{seq}", sent_us, durable=not space):
            ups.append((at_us, topic, data))
    return ups


def _sealed(topic: str, keys: NodeKeys, space: int, seq: int, message: wire.UpMessage) -> bytes:
    # A counter space that is used up continues under the next boot number, as on a node.
    boot, seq = 1 + (seq - 1) // _SEQ_MAX, 1 + (seq - 1) % _SEQ_MAX
    piv = (b"\x01" if space else b"") + boot.to_bytes(2, "big") + seq.to_bytes(2, "big")
    return seal.seal(keys.up_key, keys.up_iv, piv, codec.encode(message), topic.encode())


def _hello(t_ms: int) -> wire.Hello:
    return wire.Hello(
        t_ms=t_ms,
        fw="score",
        board="pico_w",
        schema=wire.SCHEMA_VERSION,
        reset_cause=wire.ResetCause.POWER_ON,
        fs_hz=250,
        heap_free=100_000,
    )


def _health(t_ms: int, floor_um_s: float) -> wire.Health:
    return wire.Health(
        t_ms=t_ms,
        battery_mv=3900,
        rssi_dbm=-61,
        floor_um_s_x100=round(100 * floor_um_s),
        samples_missed=0,
        ledger_pending=0,
    )


def _footfalls(given: Footfalls, seen: Observation, node: str, clock_ms: int) -> wire.Footfalls:
    """By a clock that is off by up to its bound, drawn again at each heartbeat."""
    minute = given.reported_ms // _HEALTH_MS
    off_ms = random.Random(f"{seen.name}/{node}/{minute}").uniform(-clock_ms, clock_ms)
    first_ms = given.footfalls[0][0]
    return wire.Footfalls(
        t_ms=given.onset_ms,
        utc_ms=round(_start_us(seen) / 1000 + first_ms + off_ms),
        error_ms=clock_ms,
        footfalls=tuple(n for at_ms, level in given.footfalls for n in (at_ms - first_ms, level)),
    )


def _detection(report: Report) -> wire.Detection:
    phase = wire.Phase(report.phase)
    return wire.Detection(
        t_ms=report.onset_ms,
        phase=phase,
        class_=wire.TargetClass(report.class_id),
        confidence_pct=report.confidence_pct,
        peak_um_s_x100=report.peak_um_s_x100,
        cadence_hz_x20=report.cadence_hz_x20,
        pir_count=report.pir_count,
        elapsed_s_x10=None if phase is wire.Phase.ONSET else report.elapsed_s_x10,
    )
