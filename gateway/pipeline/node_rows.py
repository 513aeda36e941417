# SPDX-License-Identifier: MIT
"""Pipeline: what must survive a restart about nodes, as rows and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.intake.clock import BootClock
from gateway.intake.downlink import DownCounter
from gateway.intake.roster import Roster
from gateway.intake.sequence import DurableSequence, VolatileWindow
from gateway.model import text
from gateway.model.detection import Detection
from gateway.store.interface import BootRow, DetectionRow, NodeRow, Snapshot
from gateway.wire import messages as wire

if TYPE_CHECKING:
    from gateway.pipeline.nodes import NodeSide

_VIEW, _EPOCH = "node:", "epoch:"  # names of state rows
# Counters skipped for a node whose own are lost: more than any gateway sends a node in years.
_BEYOND_LOST = 1 << 30


def view_row(roster: Roster, node: str) -> dict[str, str]:
    """The roster's view of a node as a state row."""
    return {f"{_VIEW}{node}": text.format_json(roster.save(node))}


def epoch_row(side: NodeSide, node: str) -> dict[str, str]:
    """How far a node's key has gone on as a state row."""
    return {f"{_EPOCH}{node}": json.dumps(side.door.epochs.save(node))}


def node_row(side: NodeSide, node: str) -> NodeRow:
    """Replay window and down counters."""
    window = side.door.volatile[node]
    return NodeRow(
        node,
        window.newest,
        window.bits.to_bytes(128, "big"),
        side.down[node].reserved,
        side.roster.views[node].last_seen_us or 0,
    )


def boot_row(side: NodeSide, key: tuple[str, int]) -> BootRow:
    """Completeness and clock of one boot."""
    clock = side.clocks.get(key)
    times = (
        (clock.start_us, clock.spread_us, clock.samples, clock.at_us)
        if clock
        else (None, None, None, None)
    )
    return BootRow(*key, side.upto(*key), side.missing.get(key, 0), *times)


def detection_row(detection: Detection, message: wire.Detection) -> DetectionRow:
    """For people and reports: words and UTC."""
    activity = detection.activity
    return DetectionRow(
        activity.node,
        activity.boot,
        detection.seq,
        activity.onset_ms,
        message.phase.label,
        message.class_.label,
        message.confidence_pct,
        message.peak_um_s_x100,
        detection.onset_us,
        detection.report_us,
        detection.uncertainty_us,
        detection.arrival_us,
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store held of each node: its row, whether it has spoken, its view as JSON."""

    rows: Mapping[str, NodeRow] = field(default_factory=dict)
    spoken: frozenset[str] = frozenset()
    views: Mapping[str, str] = field(default_factory=dict)


def take_in(side: NodeSide, node: str) -> None:
    """A node goes on where the store's rows say it was."""
    kept = side.kept
    row = kept.rows.get(node)
    if row is not None and node in side.down:
        bits = int.from_bytes(row.window_bits, "big")
        side.door.volatile[node] = VolatileWindow(row.window_newest, bits)
        side.down[node] = DownCounter(row.down_reserved)
    elif node in kept.spoken and node in side.down:
        # Its row was lost from a damaged store. A counter used twice would reuse a nonce.
        newest = max((one.down_reserved for one in kept.rows.values()), default=0)
        side.down[node] = DownCounter(newest + _BEYOND_LOST)
    if node in kept.views:
        side.roster.restore(node, json.loads(kept.views[node]))


def restore(side: NodeSide, snapshot: Snapshot) -> None:
    """Inverse of the rows above."""
    side.messages, side.detections = snapshot.messages, snapshot.detections
    for boot in snapshot.boots:
        key = (boot.node, boot.boot)
        side.door.durable[key] = DurableSequence(boot.upto)
        side.missing[key] = boot.missing
        if None not in (boot.start_us, boot.spread_us, boot.samples, boot.at_us):
            side.clocks[key] = BootClock(*boot[4:8])  # type: ignore[arg-type]  # not None
    for node, number, seq in snapshot.above:
        side.door.sequence(node, number).see(seq)
    side.kept = Kept(
        {row.node: row for row in snapshot.nodes},
        frozenset(boot.node for boot in snapshot.boots),
        {
            name.removeprefix(_VIEW): value
            for name, value in snapshot.state.items()
            if name.startswith(_VIEW)
        },
    )
    for node in side.roster.views:
        take_in(side, node)
    for name, value in snapshot.state.items():
        if name.startswith(_EPOCH):
            # Of every node there ever was: one that comes back goes on in its epoch.
            side.door.epochs.restore(name.removeprefix(_EPOCH), json.loads(value))
    for reason, node, count in snapshot.refused:
        side.refused.cells[(reason, node)] = count
