# SPDX-License-Identifier: MIT
"""The one place that steps door, map table and duty officer, live and in replay alike.

No I/O and no clock: uplinks, ticks and acknowledgements go in with their times, outcomes come out,
and what must be kept gathers in `take_writes()`. Two runs over one input give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.alarms import Acknowledge, AlarmInput, AlarmState, EventChanged, NodeTrouble
from gateway.alarms import step as alarm_step
from gateway.fusion import FusionState
from gateway.fusion import step as fusion_step
from gateway.fusion.rules import Rules
from gateway.ingest.clock import BootClock, first_sample
from gateway.ingest.door import Admitted, Door, Refusal
from gateway.ingest.downlink import DownCounter, seal_down
from gateway.ingest.refused import Refused
from gateway.ingest.roster import Roster
from gateway.ingest.sequence import DurableSequence, VolatileWindow
from gateway.keys import NodeKeys, derive, node_key
from gateway.model import text
from gateway.model.alarm import AlarmChange, Disposition
from gateway.model.detection import ActivityId, Detection
from gateway.site import Site
from gateway.store.interface import (
    AlarmRow,
    BootRow,
    DetectionRow,
    HistoryRow,
    MessageRow,
    NodeRow,
    Snapshot,
    Writes,
)
from gateway.wire import messages as wire
from gateway.wire import seal

_NODE, _EVENT = "node:", "event:"  # names of state rows


def site_keys(site: Site, fleet_root: bytes) -> dict[str, NodeKeys]:
    """Keys of every node of the site, from the 32-byte fleet root."""
    return {node: derive(node_key(fleet_root, site.name, node)) for node in site.nodes}


@dataclass(slots=True)
class Outcome:
    """What one step brought about.

    `node` sent it, authentically. `receipt` is the (node, boot) to be told how far its messages are
    safe, `time_for` the (node, t_ms) that asked for the time; both once the writes are committed.
    """

    node: str = ""
    refused: str = ""
    duplicate: bool = False
    detections: list[Detection] = field(default_factory=list)
    alarms: list[AlarmChange] = field(default_factory=list)
    receipt: tuple[str, int] | None = None
    time_for: tuple[str, int] | None = None

    def lines(self, zero_us: int = 0) -> list[dict[str, Any]]:
        """JSON lines in the order things were decided; times in seconds after `zero_us`.

        A detection gives one line at its onset (later reports of it refine the alarm).
        """
        onsets = [d for d in self.detections if d.phase is wire.Phase.ONSET]
        return [text.detection_line(d, zero_us) for d in onsets] + [
            text.alarm_line(change, zero_us) for change in self.alarms
        ]


class Pipeline:
    """Steps uplinks into alarms. `snapshot` is what a store held when the last run ended."""

    def __init__(
        self,
        site: Site,
        keys: Mapping[str, NodeKeys],
        snapshot: Snapshot | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.site = site
        self.rules = rules or Rules()
        self.refused = Refused()
        self.messages = 0
        self.detections = 0
        self.fusion = FusionState()
        self.alarms = AlarmState()
        self.roster = Roster({node.id: node.sector for node in site.nodes.values()})
        self._keys = dict(keys)
        self._door = Door(site.name, keys)
        self._clocks: dict[tuple[str, int], BootClock] = {}
        self._missing: dict[tuple[str, int], int] = {}
        self._down = {node: DownCounter() for node in keys}
        self._writes = Writes()
        self._touched_nodes: set[str] = set()
        self._touched_boots: set[tuple[str, int]] = set()
        self._fusion_saved = self.fusion
        self._last_history_id = 0
        if snapshot is not None:
            self._restore(snapshot)

    @property
    def duplicates(self) -> int:
        """Copies of durable messages that came."""
        return sum(view.duplicates for view in self.roster.views.values())

    @property
    def alarms_raised(self) -> int:
        """Alarms are numbered from 1."""
        return self.alarms.last_id

    def uplink(self, arrival_us: int, topic: str, payload: bytes) -> Outcome:
        """Bytes that came on a topic; never raises for what they hold."""
        outcome = Outcome()
        try:
            admitted = self._door.admit(topic, payload)
        except Refusal as refusal:
            outcome.refused = refusal.reason
            self.refused.count(refusal.reason, refusal.node)
            if refusal.reason == "bad_tag":
                self._troubles(
                    self.roster.on_bad_tag(refusal.node, arrival_us), arrival_us, outcome
                )
            return outcome
        outcome.node = admitted.node
        if admitted.durable:
            outcome.receipt = (admitted.node, admitted.boot)
        if not admitted.fresh:
            self.roster.on_duplicate(admitted.node)
            outcome.duplicate = True
            if self._down[admitted.node].dry:
                self._touched_nodes.add(admitted.node)
            return outcome
        self._keep(admitted, arrival_us)
        self._dispatch(admitted, arrival_us, outcome)
        return outcome

    def tick(self, now_us: int) -> Outcome:
        """Time passes: silence closes events, missed nodes are told."""
        outcome = Outcome()
        self._fuse(now_us, None, outcome)
        self._troubles(self.roster.tick(now_us), now_us, outcome)
        return outcome

    def acknowledge(
        self, now_us: int, alarm_id: int, by: str, disposition: Disposition | None = None
    ) -> Outcome:
        """An operator acknowledges one alarm; no change when it is not open."""
        outcome = Outcome()
        self._alarm(Acknowledge(alarm_id, by, disposition), now_us, outcome)
        return outcome

    def upto(self, node: str, boot: int) -> int:
        """Up to which seq that boot's durable messages are complete."""
        return self._door.sequence(node, boot).upto

    def seal_down(self, node: str, message: wire.DownMessage) -> tuple[str, bytes] | None:
        """(topic, sealed message), or None as long as the node's boot or a counter is not known."""
        boot = self.roster.views[node].boot
        counter = self._down[node].take() if boot else None
        if counter is None:
            return None
        return seal_down(self.site.name, node, self._keys[node], boot, counter, message)

    def take_writes(self) -> Writes:
        """Everything to be kept since the last call."""
        writes, self._writes = self._writes, Writes()
        for node in sorted(self._touched_nodes):
            self._down[node].top_up()
            writes.nodes[node] = self._node_row(node)
        for key in sorted(self._touched_boots):
            writes.boots[key] = self._boot_row(key)
        for node in sorted(self.roster.dirty):
            writes.state[f"{_NODE}{node}"] = text.format_json(self.roster.save(node))
        writes.state |= self._fusion_changes()
        writes.refused = self.refused.changed()
        self._touched_nodes.clear()
        self._touched_boots.clear()
        self.roster.dirty.clear()
        self._fusion_saved = self.fusion
        return writes

    def _fusion_changes(self) -> dict[str, str]:
        """State rows of the map table since the last call; an empty value ends a row."""
        before = {event.id: event for event in self._fusion_saved.events}
        now = {event.id: event for event in self.fusion.events}
        rows = {f"{_EVENT}{name}": "" for name in before if name not in now}
        for name, event in now.items():
            if before.get(name) is not event:
                rows[f"{_EVENT}{name}"] = text.format_json(text.event_to_dict(event))
        if self.fusion.last_number != self._fusion_saved.last_number:
            rows["last_event"] = str(self.fusion.last_number)
        return rows

    def committed(self, writes: Writes) -> None:
        """The store holds these now; the down counters reserved in them may be used."""
        for node, row in writes.nodes.items():
            self._down[node].committed(row.down_reserved)

    def _keep(self, admitted: Admitted, arrival_us: int) -> None:
        self.messages += 1
        self._touched_nodes.add(admitted.node)
        self._touched_boots.add((admitted.node, admitted.boot))
        self._writes.messages.append(
            MessageRow(
                admitted.node,
                admitted.lane,
                admitted.boot,
                admitted.seq,
                arrival_us,
                admitted.message.NAME,
                admitted.payload,
            )
        )

    def _dispatch(self, admitted: Admitted, arrival_us: int, outcome: Outcome) -> None:
        node, boot, message = admitted.node, admitted.boot, admitted.message
        if admitted.lane == seal.VOLATILE and isinstance(message, wire.Condition):
            self.roster.on_will(node, arrival_us)
            return
        self._troubles(self.roster.on_fresh(node, boot, arrival_us), arrival_us, outcome)
        match message:
            case wire.Hello():
                self._observe(node, boot, arrival_us, message.t_ms, live=True)
                self.roster.on_hello(node, message)
                if message.oldest_seq is not None:
                    self._give_up(node, boot, message.oldest_seq - 1)
                outcome.time_for = (node, message.t_ms)
            case wire.Health():
                self._observe(node, boot, arrival_us, message.t_ms, live=True)
                self.roster.on_health(node, message)
                outcome.time_for = (node, message.t_ms)
            case wire.Detection():
                self._on_detection(admitted, message, arrival_us, outcome)
            case wire.Condition():
                if message.kind is wire.ConditionKind.RECORDS_DROPPED and message.value:
                    self._give_up(node, message.boot or boot, message.value)
                troubles = self.roster.on_condition(node, boot, admitted.seq, message)
                self._troubles(troubles, arrival_us, outcome)
            case wire.Snippet() | wire.Result():
                pass  # kept as it came; nothing is decided by it

    def _on_detection(
        self, admitted: Admitted, message: wire.Detection, arrival_us: int, outcome: Outcome
    ) -> None:
        node, boot = admitted.node, admitted.boot
        report_ms = message.t_ms + (message.elapsed_s_x10 or 0) * 100
        clock = self._observe(node, boot, arrival_us, report_ms)
        detection = Detection(
            activity=ActivityId(node, boot, message.t_ms),
            seq=admitted.seq,
            sector=self.site.nodes[node].sector,
            phase=message.phase,
            target=message.class_,
            confidence=message.confidence_pct / 100,
            peak_um_s=message.peak_um_s_x100 / 100,
            cadence_hz=message.cadence_hz_x20 / 20,
            pir_count=message.pir_count,
            onset_us=clock.utc_us(message.t_ms, arrival_us),
            report_us=clock.utc_us(report_ms, arrival_us),
            uncertainty_us=clock.spread_us,
            arrival_us=arrival_us,
        )
        self.detections += message.phase is wire.Phase.ONSET
        self.roster.views[node].last_detection_us = detection.report_us
        self._writes.detections.append(_detection_row(detection, message))
        outcome.detections.append(detection)
        self._fuse(arrival_us, detection, outcome)

    def _observe(
        self, node: str, boot: int, arrival_us: int, t_ms: int, live: bool = False
    ) -> BootClock:
        known = self._clocks.get((node, boot))
        if known is None:
            clock = first_sample(arrival_us, t_ms, boot >= self.roster.views[node].boot)
        else:
            clock = known.observe(arrival_us, t_ms, live)
        self._clocks[(node, boot)] = clock
        return clock

    def _give_up(self, node: str, boot: int, upto: int) -> None:
        missing = self._door.sequence(node, boot).give_up(upto)
        self._missing[(node, boot)] = self._missing.get((node, boot), 0) + missing
        self.roster.views[node].records_dropped += missing
        self._touched_boots.add((node, boot))

    def _fuse(self, now_us: int, detection: Detection | None, outcome: Outcome) -> None:
        self.fusion, events = fusion_step(self.fusion, self.site, self.rules, now_us, detection)
        for event in events:
            self._alarm(EventChanged(event), now_us, outcome)

    def _troubles(self, troubles: list[NodeTrouble], now_us: int, outcome: Outcome) -> None:
        for trouble in troubles:
            self._alarm(trouble, now_us, outcome)

    def _alarm(self, given: AlarmInput, now_us: int, outcome: Outcome) -> None:
        self.alarms, changes = alarm_step(self.alarms, given, now_us)
        for change in changes:
            alarm = change.alarm
            value = text.format_json(text.alarm_to_dict(alarm))
            self._writes.alarms[alarm.id] = AlarmRow(
                alarm.id, alarm.kind.value, alarm.key, alarm.raised_us, int(alarm.open), value
            )
            # Numbered here, so that a commit which is repeated adds no second row.
            self._last_history_id += 1
            self._writes.history.append(
                HistoryRow(
                    self._last_history_id,
                    alarm.id,
                    change.at_us,
                    change.change.value,
                    change.by,
                    value,
                )
            )
        outcome.alarms.extend(changes)

    def _node_row(self, node: str) -> NodeRow:
        window = self._door.volatile[node]
        return NodeRow(
            node,
            window.newest,
            window.bits.to_bytes(128, "big"),
            self._down[node].reserved,
            self.roster.views[node].last_seen_us or 0,
        )

    def _boot_row(self, key: tuple[str, int]) -> BootRow:
        clock = self._clocks.get(key)
        times = (
            (clock.start_us, clock.spread_us, clock.samples, clock.at_us)
            if clock
            else (None, None, None, None)
        )
        return BootRow(*key, self.upto(*key), self._missing.get(key, 0), *times)

    def _restore(self, snapshot: Snapshot) -> None:
        self.messages, self.detections = snapshot.messages, snapshot.detections
        for boot in snapshot.boots:
            key = (boot.node, boot.boot)
            self._door.durable[key] = DurableSequence(boot.upto)
            self._missing[key] = boot.missing
            if None not in (boot.start_us, boot.spread_us, boot.samples, boot.at_us):
                self._clocks[key] = BootClock(*boot[4:8])  # type: ignore[arg-type]  # not None
        for node, number, seq in snapshot.above:
            self._door.sequence(node, number).see(seq)
        for row in snapshot.nodes:
            if row.node in self._keys:
                bits = int.from_bytes(row.window_bits, "big")
                self._door.volatile[row.node] = VolatileWindow(row.window_newest, bits)
                self._down[row.node] = DownCounter(row.down_reserved)
        for name, value in snapshot.state.items():
            if name.startswith(_NODE):
                self.roster.restore(name.removeprefix(_NODE), json.loads(value))
        self.fusion = self._fusion_saved = _fusion_of(snapshot, self.site)
        alarms = (text.alarm_from_dict(json.loads(value)) for value in snapshot.open_alarms)
        self.alarms = AlarmState(tuple(alarms), snapshot.last_alarm_id)
        self._last_history_id = snapshot.last_history_id
        for reason, node, count in snapshot.refused:
            self.refused.cells[(reason, node)] = count


def _fusion_of(snapshot: Snapshot, site: Site) -> FusionState:
    events = [
        text.event_from_dict(json.loads(value))
        for name, value in snapshot.state.items()
        if name.startswith(_EVENT)
    ]
    # A node taken off the site has no place any more.
    kept = [event for event in events if set(event.nodes) <= set(site.nodes)]
    kept.sort(key=lambda event: int(event.id.removeprefix("e")))
    return FusionState(tuple(kept), int(snapshot.state.get("last_event", "0")))


def _detection_row(detection: Detection, message: wire.Detection) -> DetectionRow:
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
