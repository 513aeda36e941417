# SPDX-License-Identifier: MIT
"""Pipeline: what nodes say becomes detections and troubles; their clocks, gaps, counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from gateway.alarms import NodeCondition
from gateway.enrolment import Enrolment
from gateway.intake.clock import BootClock, first_sample
from gateway.intake.door import Admitted, Door, Refusal
from gateway.intake.downlink import DownCounter, seal_down
from gateway.intake.quarantine import Quarantine
from gateway.intake.refused import Refused
from gateway.intake.roster import Roster, Suspicion
from gateway.keys import KeyRing
from gateway.model.detection import ActivityId, Detection
from gateway.model.footfalls import Footfall, Footfalls
from gateway.model.observation import NoiseFloor
from gateway.model.site import Site
from gateway.model.target import Phase, TargetClass
from gateway.pipeline import node_rows
from gateway.pipeline.outcome import Outcome
from gateway.store.interface import (
    COUNT_DETECTIONS,
    COUNT_MESSAGES,
    DetectionRow,
    MessageRow,
    Snapshot,
    Writes,
)
from gateway.wire import codec, seal
from gateway.wire import messages as wire

GAPS_MOST = 8

# A node tells of the last seconds: what came long before its word, or after, is by another clock.
_STRIKE_LATE_US = 20_000_000
_STRIKE_EARLY_US = 100_000

Said = list[Detection | NoiseFloor | Footfalls | NodeCondition]


def site_keys(
    site: Site, fleet_root: bytes, enrolment: Enrolment | None = None
) -> dict[str, KeyRing]:
    """Keys of every node of the site, from the 32-byte fleet root, as they stand."""
    return (enrolment or Enrolment()).key_rings(site.name, site.nodes, fleet_root)


class NodeSide:
    """Everything between a link and the map table, for all nodes of a site."""

    def __init__(self, site: Site, keys: Mapping[str, KeyRing]) -> None:
        self.refused = Refused()
        self.quarantine = Quarantine()
        self.messages = 0
        self.detections = 0
        self.roster = Roster({node.id: node.sector for node in site.nodes.values()})
        self.door = Door(site.name, keys)
        self.clocks: dict[tuple[str, int], BootClock] = {}
        self.missing: dict[tuple[str, int], int] = {}
        self.down = {node: DownCounter() for node in keys}
        # Rows of an earlier run, also of nodes that the site does not have now: one that comes back
        # goes on with its counters, or a nonce would be used twice.
        self.kept = node_rows.Kept()
        self._site = site
        self.set_keys(keys)
        self._gappy: dict[str, set[int]] = {}  # boots with gaps
        self._message_rows: list[MessageRow] = []
        self._detection_rows: list[DetectionRow] = []
        self._touched_nodes: set[str] = set()
        self._touched_boots: set[tuple[str, int]] = set()
        self._safe: dict[tuple[str, int], int] = {}

    def hear(self, arrival_us: int, topic: str, payload: bytes, outcome: Outcome) -> Said:
        """What it means, in order; never raises for what the bytes hold. Notes in `outcome`."""
        try:
            admitted = self.door.admit(topic, payload)
        except Refusal as refusal:
            outcome.refused = refusal.reason
            self.refused.count(refusal.reason, refusal.node)
            self.quarantine.add(arrival_us, refusal.reason, refusal.node, topic, payload)
            return self._refuse(refusal, arrival_us)
        outcome.node = admitted.node
        if admitted.durable:
            outcome.receipt = (admitted.node, admitted.boot)
        if not admitted.fresh:
            self.roster.on_duplicate(admitted.node)
            outcome.duplicate = True
            if self.down[admitted.node].dry:
                self._touched_nodes.add(admitted.node)
            return []
        self._keep(admitted, arrival_us)
        outcome.message = admitted.message
        return self._dispatch(admitted, arrival_us, outcome)

    def _refuse(self, refusal: Refusal, arrival_us: int) -> Said:
        """What may be somebody's doing is told."""
        node = refusal.node
        match refusal.reason:
            case "bad_tag":
                return [*self.roster.on_bad_tag(node, arrival_us)]
            case "stale_key":
                return [*self.roster.on_suspect(node, Suspicion.STALE, arrival_us)]
            case "revoked":
                return [*self.roster.on_revoked(node, arrival_us)]
            case "two_senders":
                return [*self.roster.on_suspect(node, Suspicion.TWIN, arrival_us)]
            case "old_boot" if self.door.twins.lingers(node, arrival_us):
                return [*self.roster.on_suspect(node, Suspicion.TWIN, arrival_us)]
        return []

    def upto(self, node: str, boot: int) -> int:
        """Up to which seq that boot's durable messages have come whole."""
        return self.door.sequence(node, boot).upto

    def safe_upto(self, node: str, boot: int) -> int:
        """The same of what the store holds: what a receipt may say."""
        return self._safe.get((node, boot), 0)

    def gaps(self, node: str) -> list[tuple[int, int, int]]:
        """(boot, first, last) of durable messages not come yet though later ones have, the newest
        boots first; at most GAPS_MOST."""
        boots = sorted(self._gappy.get(node, ()), reverse=True)
        ranges = ((b, *pair) for b in boots for pair in self.door.sequence(node, b).gaps())
        return list(islice(ranges, GAPS_MOST))

    def seal_down(self, node: str, message: wire.DownMessage) -> tuple[str, bytes] | None:
        """(topic, sealed message), or None as long as the node's boot or a counter is not known."""
        boot, keys = self.roster.views[node].boot, self.door.keys_of(node)
        counter = self.down[node].take() if boot and keys else None
        if keys is None or counter is None:
            return None
        return seal_down(self._site.name, node, keys, boot, counter, message)

    def set_site(self, site: Site, keys: Mapping[str, KeyRing]) -> None:
        """The site grew, or was measured anew; `keys` are of all its nodes, or none in replay."""
        self._site = site
        fresh = [node for node in site.nodes.values() if node.id not in self.roster.views]
        for node in fresh:
            self.roster.add(node.id, node.sector)
        if keys:
            self.set_keys(keys)
        for node in fresh:
            node_rows.take_in(self, node.id)

    def set_keys(self, keys: Mapping[str, KeyRing]) -> None:
        """Keys were given out, proven or revoked, or new nodes came."""
        self.door.set_keys(keys)
        for node in keys:
            self.down.setdefault(node, DownCounter())
        self.roster.revoked = frozenset(node for node, ring in keys.items() if not ring.accepted)

    def collect(self, writes: Writes) -> None:
        """Hand over what changed since the last call."""
        if self._message_rows:
            writes.state[COUNT_MESSAGES] = str(self.messages)
            writes.state[COUNT_DETECTIONS] = str(self.detections)
        writes.messages, self._message_rows = self._message_rows, []
        writes.detections, self._detection_rows = self._detection_rows, []
        for node in sorted(self._touched_nodes):
            self.down[node].top_up()
            writes.nodes[node] = node_rows.node_row(self, node)
        for key in sorted(self._touched_boots):
            writes.boots[key] = node_rows.boot_row(self, key)
        for node in sorted(self.roster.dirty):
            writes.state |= node_rows.view_row(self.roster, node)
        for node in sorted(self.door.epochs.dirty):
            writes.state |= node_rows.epoch_row(self, node)
        self.door.epochs.dirty.clear()
        writes.refused = self.refused.changed()
        self.quarantine.collect(writes)
        self._touched_nodes.clear()
        self._touched_boots.clear()
        self.roster.dirty.clear()

    def committed(self, writes: Writes) -> None:
        """The store holds these now: they may be receipted, their down counters used."""
        for node, row in writes.nodes.items():
            self.down[node].committed(row.down_reserved)
        self._safe |= {key: boot.upto for key, boot in writes.boots.items()}

    def restore(self, snapshot: Snapshot) -> None:
        """Take up what an earlier run left."""
        node_rows.restore(self, snapshot)
        self._safe = {key: sequence.upto for key, sequence in self.door.durable.items()}
        self.quarantine.restore(snapshot)
        for node, boot, _seq in snapshot.above:
            self._mark_gap(node, boot)

    def again(self, row: MessageRow, times: tuple[int, int, int] | None) -> Said:
        """A stored message once more: its words for the map table, a detection with the times
        (onset, report, uncertainty) that it was given. Raises WireError, KeyError."""
        message = codec.decode(row.payload, "up")
        if not isinstance(message, wire.UpMessage):
            return []
        admitted = Admitted(row.node, row.lane, row.boot, row.seq, message, row.payload, True)
        said = self._dispatch(admitted, row.arrival_us, Outcome())
        words: Said = [word for word in said if not isinstance(word, NodeCondition)]
        if times is None:
            return words
        onset_us, report_us, uncertainty_us = times
        return [
            replace(word, onset_us=onset_us, report_us=report_us, uncertainty_us=uncertainty_us)
            if isinstance(word, Detection)
            else word
            for word in words
        ]

    def _keep(self, admitted: Admitted, arrival_us: int) -> None:
        self.messages += 1
        node, boot = admitted.node, admitted.boot
        if admitted.durable:
            self.roster.views[node].backfilled += (
                self.door.sequence(node, boot).newest > admitted.seq
            )
            self._mark_gap(node, boot)
        self._touched_nodes.add(admitted.node)
        self._touched_boots.add((admitted.node, admitted.boot))
        self._message_rows.append(
            MessageRow(
                self.messages,
                admitted.node,
                admitted.lane,
                admitted.boot,
                admitted.seq,
                arrival_us,
                admitted.message.NAME,
                admitted.payload,
            )
        )

    def _mark_gap(self, node: str, boot: int) -> None:
        gappy = self._gappy.setdefault(node, set())
        if self.door.sequence(node, boot).whole:
            gappy.discard(boot)
        else:
            gappy.add(boot)

    def _dispatch(self, admitted: Admitted, arrival_us: int, outcome: Outcome) -> Said:
        node, boot, message = admitted.node, admitted.boot, admitted.message
        if admitted.lane == seal.VOLATILE and isinstance(message, wire.Condition):
            self.roster.on_will(node, arrival_us)
            return []
        said: Said = [*self.roster.on_fresh(node, boot, arrival_us)]
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
                said.append(NoiseFloor(node, arrival_us, message.floor_um_s_x100 / 100))
                outcome.time_for = (node, message.t_ms)
            case wire.Detection():
                said.append(self._on_detection(admitted, message, arrival_us))
            case wire.Strikes():
                said += self._on_strikes(admitted, message, arrival_us)
            case wire.Condition():
                if message.kind is wire.ConditionKind.RECORDS_DROPPED and message.value:
                    self._give_up(node, message.boot or boot, message.value)
                said += self.roster.on_condition(node, boot, admitted.seq, message)
            case wire.Snippet() | wire.Result() | wire.Want():
                pass  # kept as it came; nothing is decided by it
        return said

    def _on_detection(
        self, admitted: Admitted, message: wire.Detection, arrival_us: int
    ) -> Detection:
        node, boot = admitted.node, admitted.boot
        report_ms = message.t_ms + (message.elapsed_s_x10 or 0) * 100
        clock = self._observe(node, boot, arrival_us, report_ms)
        detection = Detection(
            activity=ActivityId(node, boot, message.t_ms),
            seq=admitted.seq,
            sector=self._site.nodes[node].sector,
            phase=Phase(message.phase.label),
            target=TargetClass(message.class_.label),
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
        self._detection_rows.append(node_rows.detection_row(detection, message))
        return detection

    def _on_strikes(
        self, admitted: Admitted, message: wire.Strikes, arrival_us: int
    ) -> list[Footfalls]:
        """Nothing where the node's clock cannot be what it says: ours was set, or it lies."""
        first_us, error_us = message.utc_ms * 1000, message.error_ms * 1000
        pairs = zip(message.strikes[::2], message.strikes[1::2], strict=True)
        heard = tuple(
            Footfall(first_us + late_ms * 1000, error_us, level / 100) for late_ms, level in pairs
        )
        since_us, until_us = arrival_us - _STRIKE_LATE_US, arrival_us + _STRIKE_EARLY_US
        if not all(since_us <= strike.at_us <= until_us for strike in heard):
            self.refused.count("untimely_strikes", admitted.node)
            return []
        return [Footfalls(ActivityId(admitted.node, admitted.boot, message.t_ms), heard)]

    def _observe(
        self, node: str, boot: int, arrival_us: int, t_ms: int, live: bool = False
    ) -> BootClock:
        known = self.clocks.get((node, boot))
        if known is None:
            clock = first_sample(arrival_us, t_ms, boot >= self.roster.views[node].boot)
        else:
            clock = known.observe(arrival_us, t_ms, live)
        self.clocks[(node, boot)] = clock
        return clock

    def _give_up(self, node: str, boot: int, upto: int) -> None:
        sequence = self.door.sequence(node, boot)
        ranges = sequence.gaps(upto)
        missing = sequence.give_up(upto)
        self.missing[(node, boot)] = self.missing.get((node, boot), 0) + missing
        self._mark_gap(node, boot)
        self.roster.on_given_up(node, boot, ranges)
        self._touched_boots.add((node, boot))
