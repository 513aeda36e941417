# SPDX-License-Identifier: MIT
"""Intake: the first stage: received bytes become authenticated, new, stored entries of the log.

No I/O and no clock: arrivals go in with their times, entries come out, rows gather in `collect`. It
knows keys, counters, windows and clocks; it does not know fusion and never waits for it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from gateway.intake.authentication.authenticator import Admitted, Authenticator, Refusal
from gateway.intake.authentication.boots import latest, on_wire
from gateway.intake.authentication.sequence import WINDOW, VolatileWindow
from gateway.intake.coverage_watch import CoverageWatch
from gateway.intake.downlinks import Downlinks
from gateway.intake.floors import NoiseFloors
from gateway.intake.log import Log
from gateway.intake.nodes.boot_clock import BootClock, BootClocks
from gateway.intake.nodes.completeness import Completeness, NodeBoot
from gateway.intake.nodes.registry import NodeRegistry, Suspicion
from gateway.intake.nodes.rows import StaleRows
from gateway.intake.observations import (
    detection_of,
    detection_row,
    footfalls_of,
    message_row,
    report_ms,
    unprocessed,
)
from gateway.intake.quarantine import Quarantine
from gateway.intake.refused import Refused
from gateway.keys import KeyRing
from gateway.model import text
from gateway.model.detection import Detection
from gateway.model.entry import Entry
from gateway.model.observation import Observation
from gateway.model.place.site import Site
from gateway.store.interface import (
    COUNT_DETECTIONS,
    COUNT_MESSAGES,
    BootRow,
    DetectionRow,
    MessageRow,
    NodeRow,
    Snapshot,
    Writes,
)
from gateway.wire import codec, seal
from gateway.wire import messages as wire

_LOG = logging.getLogger(__name__)
_VIEW = "node:"  # prefix of the state rows of nodes


class Taken(msgspec.Struct):
    """What one arrival brought: a new `message`, the (node, boot) that a `receipt` is due to once
    it is stored, the (node, t_ms) that asked for the time."""

    node: str = ""
    refused: str = ""
    duplicate: bool = False
    receipt: NodeBoot | None = None
    time_for: tuple[str, int] | None = None
    message: wire.UpMessage | None = None
    entries: list[Entry] = []


class Promise(NamedTuple):
    """Receipts and reservations that hold once the rows they were collected with are stored."""

    upto: dict[NodeBoot, int]
    reserved: dict[str, int]


class Intake:
    """Everything between links and the log, for all nodes of a site."""

    def __init__(self, site: Site, keys: Mapping[str, KeyRing]) -> None:
        self.refused = Refused()
        self.quarantine = Quarantine()
        self.log = Log()
        self.messages = 0
        self.detections = 0
        self.failures = 0  # messages that a fault of our own left unprocessed
        self.registry = NodeRegistry({node.id: node.sector for node in site.nodes.values()})
        self.authenticator = Authenticator(site.name, keys)
        self.completeness = Completeness(self.authenticator)
        self.downlinks = Downlinks(site.name, self.authenticator, self.registry)
        self._site = site
        self.clocks = BootClocks()
        self._floors = NoiseFloors()
        self._coverage = CoverageWatch(site)
        self._stale = StaleRows(self._write_node)
        self._stale_boots: defaultdict[str, set[int]] = defaultdict(set)
        self._message_rows: list[MessageRow] = []
        self._detection_rows: list[DetectionRow] = []
        self._promise = Promise({}, {})
        self._kept_rows: dict[str, NodeRow] = {}
        self._kept_views: dict[str, str] = {}
        self._absent: set[str] = set()  # nodes not of the site whose rows are behind
        self.set_keys(keys)

    def uplink(self, arrival_us: int, topic: str, payload: bytes) -> Taken:
        """Bytes that came on a topic; never raises for what they hold."""
        taken = Taken()
        try:
            admitted = self.authenticator.admit(topic, payload, arrival_us)
        except Refusal as refusal:
            taken.refused = refusal.reason
            self.refused.count(refusal.reason, refusal.node)
            self.quarantine.add(arrival_us, refusal.reason, refusal.node, topic, payload)
            lingers = refusal.reason == "old_boot" and self.authenticator.clones.lingers(
                refusal.node, arrival_us
            )
            signs = self.registry.on_refusal(refusal.reason, refusal.node, arrival_us, lingers)
            self._log(arrival_us, refusal.node, [*signs], taken)
            return taken
        node = taken.node = admitted.node
        if admitted.durable:
            taken.receipt = (node, admitted.boot)
        if self.downlinks.reserve(node):
            self._stale.urge(node)  # in two rows: a damaged store that lost one has the other
        if not admitted.fresh:
            self.registry.on_duplicate(node)
            # No message holds it: it waits for the node's next row.
            self._stale.touch(node, arrival_us, self.messages + 1)
            taken.duplicate = True
            return taken
        taken.message = admitted.message
        self._keep(admitted, arrival_us)
        try:
            found = self._apply(admitted, arrival_us, taken)
        except Exception as problem:  # it is stored as it came, and operators are notified
            found = self._unprocessed(admitted, problem)
        self._log(arrival_us, node, found, taken)
        return taken

    def tick(self, now_us: int) -> list[Entry]:
        """Time passes: nodes and sectors that are missed by now."""
        missed = [self.log.append(now_us, one.node, one) for one in self.registry.tick(now_us)]
        at_us, areas = self._coverage.tick(now_us, self.registry.presence)
        return missed + [self.log.append(at_us, area.key, area) for area in areas]

    def append(self, at_us: int, source: str, given: object) -> list[Entry]:
        """What no node sent: a connector's observation, an act, a policy, a start."""
        return [self.log.append(at_us, source, given)]

    def failed_login(self, now_us: int, node: str, misused: bool) -> list[Entry]:
        """The broker rejected a client with a node's name, and its password (`misused`) or not."""
        if node not in self.registry.views:
            return []
        if node in self.registry.revoked:
            self.refused.count("revoked", node)
            conditions = self.registry.on_revoked(node, now_us)
        elif misused:
            self.refused.count("misused", node)
            conditions = self.registry.on_suspect(node, Suspicion.MISUSE, now_us)
        else:
            self.refused.count("bad_login", node)
            conditions = self.registry.on_bad_tag(node, now_us)
        return [self.log.append(now_us, node, one) for one in conditions]

    def set_site(self, site: Site, keys: Mapping[str, KeyRing]) -> None:
        """The site has more nodes or was measured again; `keys` are of all its nodes."""
        self._site = site
        self._coverage.set_site(site)
        fresh = [node for node in site.nodes.values() if node.id not in self.registry.views]
        for node in fresh:
            self.registry.add(node.id, node.sector)
        self.set_keys(keys)
        for node in fresh:
            self._take_up(node.id)

    def set_keys(self, keys: Mapping[str, KeyRing]) -> None:
        """Keys were given out, proven or revoked, or new nodes came."""
        self.authenticator.set_keys(keys)
        self.downlinks.add(keys)
        self.registry.revoked = frozenset(node for node, ring in keys.items() if not ring.accepted)

    def collect(self, writes: Writes, now_us: int, everything: bool = False) -> None:
        """Hand over rows since the last call; `everything`: also rows that may wait."""
        writes.messages += self._message_rows
        writes.detections += self._detection_rows
        if self._detection_rows:
            writes.state[COUNT_DETECTIONS] = str(self.detections)
        self._message_rows, self._detection_rows = [], []
        for node in sorted(self.registry.dirty):
            self._stale.urge(node)
        self.registry.dirty.clear()
        for node in sorted(self._absent):
            writes.nodes[node] = self._kept_rows[node]
            self._write_boots(node, writes)
        self._absent.clear()
        self._stale.collect(writes, self.messages, now_us, everything)
        self.authenticator.epochs.collect(writes)
        self._coverage.collect(writes)
        writes.refused |= self.refused.changed()
        self.quarantine.collect(writes)
        self.log.collect(writes)
        self._promise.upto.update(self.completeness.take_upto())
        self._promise.reserved.update(self.downlinks.collect(writes))

    def take_promise(self) -> Promise:
        """The promise that holds once the rows collected since the last call are stored."""
        promise, self._promise = self._promise, Promise({}, {})
        return promise

    def committed(self, promise: Promise) -> None:
        """The store holds these rows now."""
        self.completeness.committed(promise.upto)
        self.downlinks.committed(promise.reserved)

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from the state of an earlier run."""
        self.log.restore(snapshot)
        self.quarantine.restore(snapshot)
        self.messages, self.detections = snapshot.messages, snapshot.detections
        for boot in snapshot.boots:
            self.completeness.restore(boot)
            self.clocks.restore(boot)
        applied = {row.node: row.applied_id for row in snapshot.nodes}
        tail = [row for row in snapshot.tail if row.id > applied.get(row.node, 0)]
        again = {(row.node, row.boot, row.seq) for row in tail if row.lane == seal.DURABLE}
        for node, number, seq in snapshot.above:
            if (node, number, seq) not in again:
                self.completeness.sequence(node, number).see(seq)
                self.completeness.received(node, number)
        self._kept_rows = {row.node: row for row in snapshot.nodes}
        self._kept_views = {
            name.removeprefix(_VIEW): value
            for name, value in snapshot.state.items()
            if name.startswith(_VIEW)
        }
        spoken = {boot.node for boot in snapshot.boots} | {row.node for row in tail}
        self.downlinks.restore(self._kept_rows, spoken, snapshot.state)
        for node in self.registry.views:
            self._take_up(node)
        self.authenticator.epochs.restore(snapshot)
        self._coverage.restore(snapshot)
        for row in tail:
            self._apply_again(row)
        self.refused.restore(snapshot.refused)
        self.completeness.restored()

    def _take_up(self, node: str) -> None:
        """A node continues where the rows of the store left it."""
        row = self._kept_rows.get(node)
        if row is not None and node in self.authenticator.volatile:
            self.authenticator.volatile[node] = _window(row)
        if node in self._kept_views:
            self.registry.restore(node, self._kept_views[node])

    def _apply_again(self, row: MessageRow) -> None:
        """A message that the rows of its node do not hold yet."""
        node = row.node
        if row.lane == seal.DURABLE:
            self.completeness.sequence(node, row.boot).see(row.seq)
        if node not in self._site.nodes:
            self._keep_absent(row)
            return
        if row.lane != seal.DURABLE:
            self.authenticator.volatile[node].see(row.boot, row.seq)
        if not row.payload:
            return
        message = codec.decode_up(row.payload)
        admitted = Admitted(node, row.lane, row.boot, row.seq, message, row.payload, True)
        self._note(admitted, row.arrival_us, row.id)
        # What is counted and what has a row of its own is in the store already.
        detections, cells = self.detections, self.refused.cells.copy()
        try:
            self._apply(admitted, row.arrival_us, Taken())
        except Exception as problem:  # as it was when it came
            self._unprocessed(admitted, problem)
        self.detections, self.refused.cells = detections, cells
        self.refused.changed()
        self._detection_rows.clear()

    def _keep_absent(self, row: MessageRow) -> None:
        """A node that the site does not have now: one that comes back must not be replayed."""
        kept = self._kept_rows.get(row.node) or NodeRow(row.node, 0, b"", 0, 0)
        window = _window(kept)
        if row.lane != seal.DURABLE:
            window.see(row.boot, row.seq)
        bits = window.bits.to_bytes(WINDOW // 8, "big")
        self._kept_rows[row.node] = NodeRow(row.node, window.newest, bits, *kept[3:5], row.id)
        self._absent.add(row.node)
        self._stale_boots[row.node].add(row.boot)

    def _log(self, at_us: int, source: str, observations: list[Observation], taken: Taken) -> None:
        for one in observations:
            taken.entries.append(self.log.append(at_us, source, one))

    def _keep(self, admitted: Admitted, arrival_us: int) -> None:
        self.messages += 1
        self._note(admitted, arrival_us, self.messages)
        self._message_rows.append(message_row(self.messages, admitted, arrival_us))

    def _note(self, admitted: Admitted, arrival_us: int, message_id: int) -> None:
        """The rows of the node are behind by this message."""
        node, boot = admitted.node, admitted.boot
        if admitted.durable:
            newest = self.completeness.sequence(node, boot).newest
            self.registry.views[node].backfilled += newest > admitted.seq
            self.completeness.received(node, boot)
        self._stale.touch(node, arrival_us, message_id)
        self._stale_boots[node].add(boot)

    def _apply(self, admitted: Admitted, arrival_us: int, taken: Taken) -> list[Observation]:
        """What a message changes about its node, and the observations it brings."""
        node, boot, message = admitted.node, admitted.boot, admitted.message
        if admitted.lane == seal.VOLATILE and isinstance(message, wire.Condition):
            self.registry.on_will(node, arrival_us)
            return []
        found: list[Observation] = [*self.registry.on_fresh(node, boot, arrival_us)]
        match message:
            case wire.Health():
                self._clock(node, boot, arrival_us, message.t_ms, live=True)
                view = self.registry.on_health(node, message)
                found += self._floors.received(node, arrival_us, view)
                taken.time_for = (node, message.t_ms)
            case wire.Detection():
                found.append(self._detection(admitted, message, arrival_us))
            case wire.Strikes():
                footfalls = footfalls_of(node, boot, message, arrival_us)
                if footfalls is None:
                    self.refused.count("untimely_footfalls", node)
                else:
                    found.append(footfalls)
            case wire.Hello():
                self._clock(node, boot, arrival_us, message.t_ms, live=True)
                found += self.registry.on_hello(node, boot, message)
                self._give_up(node, boot, (message.oldest_seq or 1) - 1)
                taken.time_for = (node, message.t_ms)
            case wire.Condition():
                if message.kind is wire.ConditionKind.RECORDS_DROPPED and message.value:
                    self._give_up(node, latest(boot, message.boot or on_wire(boot)), message.value)
                found += self.registry.on_condition(node, boot, admitted.seq, message)
            case wire.Snippet() | wire.Result() | wire.Want():
                pass  # kept as it came; nothing is decided by it
        return found

    def _unprocessed(self, admitted: Admitted, problem: Exception) -> list[Observation]:
        """An internal fault, active and cleared at once, as the monitor reports its own."""
        what = admitted.message.NAME
        self.failures += 1
        _LOG.error("%s of %s could not be processed", what, admitted.node, exc_info=problem)
        return [*unprocessed(self._site.nodes[admitted.node], what, problem)]

    def _detection(self, admitted: Admitted, message: wire.Detection, arrival_us: int) -> Detection:
        node, boot = admitted.node, admitted.boot
        clock = self._clock(node, boot, arrival_us, report_ms(message))
        sector = self._site.nodes[node].sector
        detection = detection_of(node, sector, boot, admitted.seq, message, clock, arrival_us)
        self.detections += message.phase is wire.Phase.ONSET
        self.registry.views[node].last_detection_us = detection.report_us
        self._detection_rows.append(detection_row(detection, message))
        return detection

    def _clock(
        self, node: str, boot: int, arrival_us: int, t_ms: int, live: bool = False
    ) -> BootClock:
        newest = self.registry.views[node].boot
        return self.clocks.observe((node, boot), arrival_us, t_ms, live, boot >= newest)

    def _give_up(self, node: str, boot: int, upto: int) -> None:
        self.registry.on_given_up(node, boot, self.completeness.give_up(node, boot, upto))
        self._stale_boots[node].add(boot)

    def _write_node(self, node: str, writes: Writes) -> None:
        """All rows of a node, up to date with the newest message."""
        window = self.authenticator.volatile[node]
        writes.nodes[node] = NodeRow(
            node,
            window.newest,
            window.bits.to_bytes(WINDOW // 8, "big"),
            self.downlinks.reserved(node),
            self.registry.views[node].last_seen_us or 0,
            self.messages,
        )
        writes.state[f"{_VIEW}{node}"] = text.format_json(self.registry.views[node])
        self._write_boots(node, writes)
        writes.state[COUNT_MESSAGES] = str(self.messages)

    def _write_boots(self, node: str, writes: Writes) -> None:
        for boot in sorted(self._stale_boots.pop(node, ())):
            key = (node, boot)
            missing = self.completeness.missing.get(key, 0)
            upto = self.completeness.sequence(node, boot).upto
            writes.boots[key] = BootRow(node, boot, upto, missing, *self.clocks.times(key))


def _window(row: NodeRow) -> VolatileWindow:
    return VolatileWindow(row.window_newest, int.from_bytes(row.window_bits, "big"))
