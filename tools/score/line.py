# SPDX-License-Identifier: MIT
"""Score: the nodes' reports through the real gateway: door, map table and duty officer.

Reports are sealed as nodes would and stepped through the same pipeline as live and in replay, but
over a perfect link: each arrives DELAY_US after it was made, nothing is lost or late.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from gateway.ingest.door import uplink_topic
from gateway.keys import KeyRing, NodeKeys
from gateway.pipeline import Pipeline, site_keys
from gateway.site import Site, load_site
from gateway.wire import codec, seal
from gateway.wire import messages as wire
from sim_hardware.fastpath import Report
from sim_hardware.site import Site as GroundSite
from sim_hardware.site import write_site
from sim_hardware.virtual import Pace

DELAY_US = 100_000  # the pump looks every 100 ms, the link takes 20 ms one way
_ZERO_US = 1_767_225_600_000_000  # 2026-01-01, so that nothing is negative
_TICK_US = 1_000_000
_HELLO_MS = 2_000
_HEALTH_MS = 60_000
_ROOT = hashlib.sha256(b"groundwatch score").digest()
_SEQ_MAX = 0xFFFF
Up = tuple[int, str, bytes]


def alarm_lines(
    site: GroundSite, reports: Mapping[str, Sequence[Report]], lead_s: float, end_s: float
) -> list[dict[str, Any]]:
    """`alarm` and `alarm_update` lines of a whole run, times in seconds of the take."""
    known, keys = _keys(site)
    pipeline = Pipeline(known, keys)
    start_us = _ZERO_US - round(lead_s * 1e6)
    ups = sorted(
        up
        for node in site.nodes
        for up in _uplinks(
            known.name, node.id, keys[node.id].accepted[0], reports[node.id], start_us, end_s
        )
    )
    lines: list[dict[str, Any]] = []
    tick_us = start_us
    for at_us, topic, payload in ups:
        while tick_us < at_us:
            # With nothing on the table no silence can end anything: skip to the next message.
            if not pipeline.fusion.events:
                tick_us = at_us
                break
            lines += pipeline.tick(tick_us).lines(_ZERO_US)
            tick_us += _TICK_US
        lines += pipeline.uplink(at_us, topic, payload).lines(_ZERO_US)
    end_us = _ZERO_US + round((end_s + Pace().settle_s) * 1e6)
    while tick_us < end_us and pipeline.fusion.events:
        lines += pipeline.tick(tick_us).lines(_ZERO_US)
        tick_us += _TICK_US
    pipeline.take_writes()
    return [line for line in lines if line["type"] in ("alarm", "alarm_update")]


@cache
def _keys(site: GroundSite) -> tuple[Site, dict[str, KeyRing]]:
    with tempfile.TemporaryDirectory(prefix="groundwatch-") as folder:
        path = Path(folder) / "site.toml"
        write_site(site, path)
        known = load_site(path)
    return known, site_keys(known, _ROOT)


def _uplinks(
    site: str, node: str, keys: NodeKeys, reports: Sequence[Report], start_us: int, end_s: float
) -> list[Up]:
    topic = uplink_topic(site, node)
    ups: list[Up] = []
    volatile: list[wire.UpMessage] = [_hello(_HELLO_MS)]
    last_ms = round(end_s * 1000) + (_ZERO_US - start_us) // 1000
    volatile += [_health(t_ms) for t_ms in range(_HEALTH_MS, last_ms, _HEALTH_MS)]
    for seq, message in enumerate(volatile, 1):
        ups.append(_sealed(topic, keys, 1, seq, message, start_us, message.t_ms))
    for number, report in enumerate(reports):
        seq = number + 1
        ups.append(_sealed(topic, keys, 0, seq, _detection(report), start_us, report.told_ms))
    return ups


def _sealed(
    topic: str,
    keys: NodeKeys,
    lane: int,
    seq: int,
    message: wire.UpMessage,
    start_us: int,
    t_ms: int,
) -> Up:
    # A lane that is used up goes on under the next boot number, as on a node.
    boot, seq = 1 + (seq - 1) // _SEQ_MAX, 1 + (seq - 1) % _SEQ_MAX
    piv = (b"\x01" if lane else b"") + boot.to_bytes(2, "big") + seq.to_bytes(2, "big")
    data = seal.seal(keys.up_key, keys.up_iv, piv, codec.encode(message), topic.encode())
    return (start_us + t_ms * 1000 + DELAY_US, topic, data)


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


def _health(t_ms: int) -> wire.Health:
    return wire.Health(
        t_ms=t_ms,
        battery_mv=3900,
        rssi_dbm=-61,
        floor_um_s_x100=10,
        samples_missed=0,
        ledger_pending=0,
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
