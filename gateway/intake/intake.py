# SPDX-License-Identifier: MIT
"""Intake: the first stage: received bytes become authenticated, new, stored entries of the log.

It has no I/O and no clock. It accepts arrivals with their times, returns entries, and `collect`
returns the rows to store. It uses keys, counters, windows and clocks. It does not use fusion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from gateway.faults import Faults
from gateway.intake.authentication.authenticator import Admitted, Authenticator, Refusal
from gateway.intake.authentication.boots import latest, on_wire
from gateway.intake.authentication.sequence import VolatileWindow
from gateway.intake.coverage_watch import CoverageWatch
from gateway.intake.downlinks import Downlinks
from gateway.intake.floors import NoiseFloors
from gateway.intake.log import Log
from gateway.intake.nodes.boot_clock import BootClock, BootClocks
from gateway.intake.nodes.completeness import Completeness
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
from gateway.intake.taken import Promise, Taken, receipt_of
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

_VIEW = "node:"  # prefix of the state rows of nodes
FAULT = "fault"  # reason of a message that a fault of the gateway kept out


class Intake:
    """Everything between links and the log, for all nodes of a site."""

    def __init__(
        self, site: Site, keys: Mapping[str, KeyRing], faults: Faults | None = None
    ) -> None:
        self.faults = faults or Faults()
        self.refused = Refused()
        self.quarantine = Quarantine()
        self.log = Log()
        self.messages = 0
        self.detections = 0
        self._last_detection_id = 0
        self.registry = NodeRegistry({node.id: node.sector for node in site.nodes.values()})
        self.authenticator = Authenticator(site.name, keys)
        self.completeness = Completeness(self.authenticator)
        self.downlinks = Downlinks(site.name, self.authenticator, self.registry)
        self._site = site
        self.clocks = BootClocks()
        self._floors = NoiseFloors()
        self._coverage = CoverageWatch(site)
        self._stale = StaleRows(self._write_node, self.faults)
        self._stale_boots: defaultdict[str, set[int]] = defaultdict(set)
        self._message_rows: list[MessageRow] = []
        self._detection_rows: list[DetectionRow] = []
        self._promise = Promise({}, {})
        self._kept_rows: dict[str, NodeRow] = {}
        self._kept_views: dict[str, str] = {}
        self._absent: set[str] = set()  # not of the site, with rows to write again
        self.set_keys(keys)

    def uplink(self, arrival_us: int, topic: str, payload: bytes) -> Taken:
        """Bytes that came on a topic; never raises, whatever they hold."""
        admitted = None
        try:
            try:
                admitted = self.authenticator.admit(topic, payload, arrival_us)
            except Refusal as refusal:
                return self._refuse(refusal, arrival_us, topic, payload)
            if not admitted.fresh:
                return self._repeat(admitted, arrival_us)
            self._keep(admitted, arrival_us)
        except Exception as problem:  # nothing of it is kept: without a receipt it comes again
            if admitted is not None and admitted.fresh:
                self.authenticator.forget(admitted)
            return self._set_aside(problem, arrival_us, topic, payload)
        taken = Taken(admitted.node, message=admitted.message, receipt=receipt_of(admitted))
        try:
            found = self._apply(admitted, arrival_us, taken)
            self._log(arrival_us, admitted.node, found, taken)
        except Exception as problem:  # it is stored as it came, and operators are notified
            self._log(arrival_us, admitted.node, self._unprocessed(admitted, problem), taken)
        return taken

    def tick(self, now_us: int) -> list[Entry]:
        """Time passes: nodes and sectors that are missed by now. Never raises."""
        watch, entries = self.faults.watch, list[Entry]()
        with watch("nodes over time"):
            entries += [
                self.log.append(now_us, one.node, one) for one in self.registry.tick(now_us)
            ]
        with watch("coverage over time"):
            at_us, areas = self._coverage.tick(now_us, self.registry.presence)
            entries += [self.log.append(at_us, area.key, area) for area in areas]
        return entries

    def append(self, at_us: int, source: str, given: object) -> list[Entry]:
        """An entry that is not from a node: an observation, an act, a policy, a start."""
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
        """The site has new nodes or positions; `keys` are of all its nodes."""
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
        for part in (self.authenticator.epochs, self._coverage):
            with self.faults.watch(f"rows of {type(part).__name__}"):
                part.collect(writes)
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
        self._last_detection_id = snapshot.last_detection_id
        for boot in snapshot.boots:
            self.completeness.restore(boot)
            self.clocks.restore(boot)
        self.authenticator.floors = snapshot.boot_floors
        applied = {row.node: row.applied_id for row in snapshot.nodes}
        tail = [row for row in snapshot.tail if row.id > applied.get(row.node, 0)]
        again = {(row.node, row.boot, row.seq) for row in tail if row.space == seal.DURABLE}
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
            self.authenticator.volatile[node] = VolatileWindow.of(*row[1:3])
        if node in self._kept_views:
            self.registry.restore(node, self._kept_views[node])

    def _apply_again(self, row: MessageRow) -> None:
        """A message that the rows of its node do not hold yet."""
        node = row.node
        if row.space == seal.DURABLE:
            self.completeness.sequence(node, row.boot).see(row.seq)
        if node not in self._site.nodes:
            self._keep_absent(row)
            return
        if row.space != seal.DURABLE:
            self.authenticator.volatile[node].see(row.boot, row.seq)
        if not row.payload:
            return
        # What is counted and what has a row of its own is in the store already.
        before = self.detections, self._last_detection_id, self.refused.cells.copy()
        try:
            message = codec.decode_up(row.payload)
            admitted = Admitted(node, row.space, row.boot, row.seq, message, row.payload, True)
            self._note(admitted, row.arrival_us, row.id)
            self._apply(admitted, row.arrival_us, Taken())
        except Exception as problem:  # its alarm is of when it came
            self.faults.count(f"message of {node}", problem)
        self.detections, self._last_detection_id, self.refused.cells = before
        self.refused.changed()
        self._detection_rows.clear()

    def _keep_absent(self, row: MessageRow) -> None:
        """A node that the site does not have now: one that comes back must not be replayed."""
        kept = self._kept_rows.get(row.node) or NodeRow(row.node, 0, b"", 0, 0)
        window = VolatileWindow.of(*kept[1:3])
        if row.space != seal.DURABLE:
            window.see(row.boot, row.seq)
        self._kept_rows[row.node] = NodeRow(row.node, *window.row, *kept[3:5], row.id)
        self._absent.add(row.node)
        self._stale_boots[row.node].add(row.boot)

    def _refuse(self, refusal: Refusal, arrival_us: int, topic: str, payload: bytes) -> Taken:
        reason, node = refusal.reason, refusal.node
        self.refused.count(reason, node)
        self.quarantine.add(arrival_us, reason, node, topic, payload)
        lingers = reason == "old_boot" and self.authenticator.clones.lingers(node, arrival_us)
        taken = Taken(refused=reason)
        signs = self.registry.on_refusal(reason, node, arrival_us, lingers)
        self._log(arrival_us, node, [*signs], taken)
        return taken

    def _repeat(self, admitted: Admitted, arrival_us: int) -> Taken:
        """A copy. No message holds it: it waits for the node's next row."""
        node = admitted.node
        self._reserve(node)
        self.registry.on_duplicate(node)
        self._stale.touch(node, arrival_us, self.messages + 1)
        return Taken(node, duplicate=True, receipt=receipt_of(admitted))

    def _set_aside(self, problem: Exception, arrival_us: int, topic: str, payload: bytes) -> Taken:
        """A fault of our own before the message was kept."""
        node = self.authenticator.addressed(topic)
        self.faults.report(f"message on the topic of {node}", problem, node)
        self.quarantine.add(arrival_us, FAULT, node, topic, payload)
        return Taken(refused=FAULT)

    def _reserve(self, node: str) -> None:
        if self.downlinks.reserve(node):
            self._stale.urge(node)  # in two rows: a damaged store that lost one has the other

    def _log(self, at_us: int, source: str, observations: list[Observation], taken: Taken) -> None:
        taken.entries += [self.log.append(at_us, source, one) for one in observations]

    def _keep(self, admitted: Admitted, arrival_us: int) -> None:
        row = message_row(self.messages + 1, admitted, arrival_us)
        self._reserve(admitted.node)
        self._note(admitted, arrival_us, row.id)
        # From here on nothing raises.
        self.messages = row.id
        self._message_rows.append(row)

    def _note(self, admitted: Admitted, arrival_us: int, message_id: int) -> None:
        """The rows of the node must be written again because of this message."""
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
        if admitted.space == seal.VOLATILE and isinstance(message, wire.Condition):
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
            case wire.Footfalls():
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
            case wire.Snippet() | wire.Result() | wire.ChunkRequest():
                pass  # kept as it came; nothing is decided by it
        return found

    def _unprocessed(self, admitted: Admitted, problem: Exception) -> list[Observation]:
        """An internal fault, active and cleared at once, as the monitor reports its own."""
        what = admitted.message.NAME
        self.faults.count(f"{what} of {admitted.node}", problem)
        return [*unprocessed(self._site.nodes[admitted.node], what, problem)]

    def _detection(self, admitted: Admitted, message: wire.Detection, arrival_us: int) -> Detection:
        node, boot = admitted.node, admitted.boot
        clock = self._clock(node, boot, arrival_us, report_ms(message))
        sector = self._site.nodes[node].sector
        detection = detection_of(node, sector, boot, admitted.seq, message, clock, arrival_us)
        self.detections += message.phase is wire.Phase.ONSET
        self.registry.views[node].last_detection_us = detection.report_us
        self._last_detection_id += 1
        self._detection_rows.append(detection_row(self._last_detection_id, detection, message))
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
        seen_us, reserved = (
            self.registry.views[node].last_seen_us or 0,
            self.downlinks.reserved(node),
        )
        writes.nodes[node] = NodeRow(node, *window.row, reserved, seen_us, self.messages)
        writes.state[f"{_VIEW}{node}"] = text.format_json(self.registry.views[node])
        self._write_boots(node, writes)
        writes.state[COUNT_MESSAGES] = str(self.messages)

    def _write_boots(self, node: str, writes: Writes) -> None:
        for boot in sorted(self._stale_boots.pop(node, ())):
            key = (node, boot)
            missing = self.completeness.missing.get(key, 0)
            upto = self.completeness.sequence(node, boot).upto
            writes.boots[key] = BootRow(node, boot, upto, missing, *self.clocks.times(key))
