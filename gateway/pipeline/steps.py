# SPDX-License-Identifier: MIT
"""Pipeline: node side, map table and duty desk, stepped together.

No I/O and no clock: uplinks, ticks and an operator's words go in with their times, outcomes come
out, and what must be kept gathers in `take_writes()`. Two runs over one input give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.alarms import AlarmInput, AlarmRules, AlarmState, EventChanged, NodeCondition
from gateway.audit.chain import EXPORTED, history_digest
from gateway.audit.log import SYSTEM, AuditLog
from gateway.config.retention import RecordClass
from gateway.enrolment import Entry
from gateway.fusion import FusionState
from gateway.fusion.rules import Rules
from gateway.intake.refused import Refused
from gateway.intake.roster import Roster, Suspicion
from gateway.keys import KeyRing
from gateway.model.acts import Act, act_name, act_subject, act_to_dict
from gateway.model.alarm import AlarmChange
from gateway.model.detection import Detection
from gateway.model.footfalls import Footfalls
from gateway.model.observation import NoiseFloor
from gateway.model.site import Site
from gateway.outputs.outbox import Channel, Delivery, Outbox, Status
from gateway.performance.watch import WatchBook
from gateway.pipeline.access import AccessDesk
from gateway.pipeline.desk import DutyDesk
from gateway.pipeline.erasing import Eraser
from gateway.pipeline.journal import Journal
from gateway.pipeline.nodes import NodeSide, Said
from gateway.pipeline.outcome import Outcome
from gateway.pipeline.standing import NewOrders, OrderBook, Orders, by_subject
from gateway.pipeline.table import MapTable
from gateway.store.interface import Expired, HistoryRow, MessageRow, Snapshot, Writes
from gateway.updates.desk import Happened, UpdateDesk
from gateway.updates.package import Release
from gateway.updates.rollout import Rollout
from gateway.wire import messages as wire

Word = Detection | NoiseFloor | Footfalls  # what the map table hears


class Pipeline:
    """Steps uplinks into alarms. `snapshot` is what a store held when the last run ended."""

    def __init__(
        self,
        site: Site,
        keys: Mapping[str, KeyRing],
        snapshot: Snapshot | None = None,
        rules: Rules | None = None,
        alarm_rules: AlarmRules | None = None,
        audit: AuditLog | None = None,
        channels: Sequence[Channel] = (),
    ) -> None:
        self.site = site
        self.rules = rules or Rules()
        self.audit = audit or AuditLog()
        self._nodes = NodeSide(site, keys)
        sectors = {node.id: node.sector for node in site.nodes.values()}
        alarm_rules = alarm_rules or AlarmRules(sectors)
        self._journal = Journal(Orders(site, self.rules, alarm_rules))
        self._table = MapTable(site, self.rules, self._journal)
        self._desk = DutyDesk(alarm_rules, self._journal, self._chain)
        self._eraser = Eraser(self.audit)
        self._access = AccessDesk(self.audit)
        self._book = OrderBook(self.audit)
        self.watch = WatchBook()
        self.updates = UpdateDesk(sectors, self.audit)
        self.outbox = Outbox(site.name, channels, self._record_delivery)
        self._parts = (
            self._nodes,
            self._table,
            self._desk,
            self._journal,
            self._eraser,
            self._access,
            self._book,
            self.watch,
            self.updates,
            self.audit,
            self.outbox,  # last: what it finds over when it is restored goes into the audit
        )
        if snapshot is not None:
            for part in self._parts:
                part.restore(snapshot)

    @property
    def fusion(self) -> FusionState:
        """Open events."""
        return self._table.state

    @property
    def alarms(self) -> AlarmState:
        """Open alarms and orders in force."""
        return self._desk.state

    @property
    def alarm_rules(self) -> AlarmRules:
        """Schedules and escalation."""
        return self._desk.rules

    @property
    def orders(self) -> Orders:
        """Standing orders in force."""
        return Orders(self.site, self.rules, self._desk.rules)

    @property
    def roster(self) -> Roster:
        """What is known of each node."""
        return self._nodes.roster

    @property
    def refused(self) -> Refused:
        """Counters of what did not come in."""
        return self._nodes.refused

    @property
    def messages(self) -> int:
        """Authentic messages that came, each once."""
        return self._nodes.messages

    @property
    def detections(self) -> int:
        """Activities, by their onsets."""
        return self._nodes.detections

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
        self._take(self._nodes.hear(arrival_us, topic, payload, outcome), arrival_us, outcome)
        self._journal.message_id = self._nodes.messages
        if outcome.message is not None:
            self._bring(
                self.updates.hear(outcome.node, outcome.message, arrival_us), arrival_us, outcome
            )
        return outcome

    def tick(self, now_us: int) -> Outcome:
        """Time passes: silence closes events, missed nodes are told, orders end."""
        outcome = Outcome()
        self._fuse(now_us, None, outcome)
        self._take([*self.roster.tick(now_us)], now_us, outcome)
        self._changed(self._desk.tick(now_us, self.roster.presence), now_us, outcome)
        self._bring(self.updates.tick(now_us), now_us, outcome)
        return outcome

    def update_objection(self, rollout: Rollout) -> str:
        """Why this update cannot begin now; empty when it can."""
        return self.updates.objection(rollout, self._firmware())

    def update(self, now_us: int, rollout: Rollout, release: Release) -> Outcome:
        """Begin to bring a release to nodes; `done` when nothing stood against it."""
        outcome = Outcome(done=not self.update_objection(rollout))
        if outcome.done:
            happened = self.updates.begin(now_us, rollout, release, self._firmware())
            self._bring(happened, now_us, outcome)
        return outcome

    def stop_update(self, now_us: int, by: str, reason: str) -> Outcome:
        """End it; `done` when there was one."""
        return Outcome(done=self.updates.stop(now_us, by, reason))

    def act(self, now_us: int, act: Act) -> Outcome:
        """What an operator does; `done` when it was possible, and then it is in the audit."""
        outcome = Outcome()
        before = self.alarms
        self._alarm(act, now_us, outcome)
        outcome.done = self.alarms is not before
        if outcome.done:
            self.watch.note_walks(self.alarms.walks)
            reason = getattr(act, "reason", "") or getattr(act, "note", "")
            self.audit.add(
                now_us,
                act.by,
                act_name(act),
                act_subject(act),
                reason,
                getattr(act, "until_us", None),
                act_to_dict(act),
            )
        return outcome

    def note_orders(self, now_us: int, by: str, outputs: Mapping[str, Any]) -> None:
        """The gateway begins: what is in force, and what is other than when it last ran.
        `outputs` are told by subject, without what nobody may read."""
        self._book.note(now_us, by, {**by_subject(self.orders), **outputs})

    def set_orders(self, now_us: int, by: str, given: NewOrders) -> Outcome:
        """Other standing orders from now on, recorded in the name of who gave them."""
        before = self.orders.digest
        self.orders_again(now_us, given.orders, given.keys)
        self.outbox.set_channels(given.channels, now_us)
        outcome = Outcome(done=True)
        now = {**by_subject(self.orders), **given.outputs}
        outcome.changed = self._book.note(now_us, by, now, given.hidden)
        if outcome.changed:
            detail = {"before": before, "after": self.orders.digest}
            self.audit.add(now_us, by, "orders.load", f"site {self.site.name}", detail=detail)
        return outcome

    def settle(
        self, now_us: int, number: int, status: Status, attempts: int, words: str
    ) -> Outcome:
        """What became of a delivery; `words` are the receipt or the problem."""
        self.outbox.settle(now_us, number, status, attempts, words)
        return Outcome()

    def test_output(self, now_us: int, name: str, by: str) -> Outcome:
        """Somebody tries an output; `done` unless a test of it is under way."""
        delivery = self.outbox.test(name, by, now_us)
        if delivery is None:
            return Outcome()
        self.audit.add(now_us, by, "output.test", f"output {name}")
        return Outcome(done=True, deliveries=[delivery])

    def exported(self, now_us: int, by: str, alarm_id: int, reason: str) -> Outcome:
        """An incident leaves the gateway as a file."""
        self.audit.add(now_us, by, EXPORTED, f"alarm {alarm_id}", reason)
        return Outcome()

    def erase(self, now_us: int, expired: Mapping[RecordClass, Expired]) -> None:
        """The store holds what is older than it may be: a portion goes with the next commit."""
        self._eraser.step(now_us, expired)

    def enrol(self, now_us: int, entries: Sequence[Entry], keys: Mapping[str, KeyRing]) -> Outcome:
        """The enrolment journal as it stands now. Raises ConfigError when its end was cut off."""
        self._access.take(entries, now_us)
        self._nodes.set_keys(keys)
        return Outcome()

    def knock(self, now_us: int, node: str, misused: bool) -> Outcome:
        """The broker turned away who uses a node's name, with its password (`misused`) or without:
        an alarm when the node is revoked, when its password is right, or when it is tried often."""
        outcome = Outcome()
        if node not in self.roster.views:
            return outcome
        if node in self.roster.revoked:
            self.refused.count("revoked", node)
            troubles = self.roster.on_revoked(node, now_us)
        elif misused:
            self.refused.count("misused", node)
            troubles = self.roster.on_suspect(node, Suspicion.MISUSE, now_us)
        else:
            self.refused.count("bad_login", node)
            troubles = self.roster.on_bad_tag(node, now_us)
        self._take([*troubles], now_us, outcome)
        return outcome

    def hear_again(self, row: MessageRow, times: tuple[int, int, int] | None) -> None:
        """In replay, a stored message: only what it tells the map table. `times` are onset, report
        and uncertainty that a detection was given."""
        if row.node in self.site.nodes:
            self._take(self._nodes.again(row, times), row.arrival_us, Outcome())

    def silence_again(self, now_us: int) -> None:
        """In replay, a moment at which passing time changed the map table."""
        self._fuse(now_us, None, Outcome())

    def take_again(self, now_us: int, given: AlarmInput) -> None:
        """In replay, what the duty desk took."""
        self._alarm(given, now_us, Outcome())

    def orders_again(
        self, now_us: int, orders: Orders, keys: Mapping[str, KeyRing] | None = None
    ) -> None:
        """Other standing orders, live and in replay (without keys): the site may have grown."""
        if orders != self.orders:
            self._journal.set_orders(now_us, orders)
        self.site, self.rules = orders.site, orders.rules
        self._nodes.set_site(orders.site, keys or {})
        self._table.set_orders(orders.site, orders.rules)
        self._desk.rules = orders.alarms
        self.updates.set_sectors(orders.alarms.sector_of)

    def upto(self, node: str, boot: int) -> int:
        """Up to which seq that boot's durable messages have come whole."""
        return self._nodes.upto(node, boot)

    def safe_upto(self, node: str, boot: int) -> int:
        """The same of what the store holds: what a receipt may say."""
        return self._nodes.safe_upto(node, boot)

    def gaps(self, node: str) -> list[tuple[int, int, int]]:
        """(boot, first, last) of durable messages not come yet though later ones have."""
        return self._nodes.gaps(node)

    def seal_down(self, node: str, message: wire.DownMessage) -> tuple[str, bytes] | None:
        """(topic, sealed message), or None as long as the node's boot or a counter is not known."""
        return self._nodes.seal_down(node, message)

    def may_seal_down(self, node: str) -> bool:
        """Whether the store has granted a counter for a message to it."""
        return self._nodes.down[node].granted

    def take_writes(self) -> Writes:
        """Everything to be kept since the last call."""
        writes = Writes()
        for part in self._parts:
            part.collect(writes)
        return writes

    def committed(self, writes: Writes) -> None:
        """The store holds these now: they may be receipted, their down counters used."""
        self._nodes.committed(writes)

    def _take(self, said: Said, now_us: int, outcome: Outcome) -> None:
        for word in said:
            match word:
                case Detection():
                    outcome.detections.append(word)
                    self._fuse(now_us, word, outcome)
                case NoiseFloor() | Footfalls():
                    self._fuse(now_us, word, outcome)
                case NodeCondition():
                    self._alarm(word, now_us, outcome)

    def _firmware(self) -> dict[str, tuple[str, str]]:
        return {name: (view.board, view.fw) for name, view in self.roster.views.items()}

    def _bring(self, happened: Happened, now_us: int, outcome: Outcome) -> None:
        outcome.down += happened.down
        self._take([*happened.troubles], now_us, outcome)

    def _fuse(self, now_us: int, given: Word | None, outcome: Outcome) -> None:
        self._journal.begin(now_us)
        for event in self._table.step(now_us, given):
            self._alarm(EventChanged(event), now_us, outcome)

    def _alarm(self, given: AlarmInput, now_us: int, outcome: Outcome) -> None:
        self._journal.begin(now_us)
        self._changed(self._desk.step(given, now_us), now_us, outcome)

    def _changed(self, changes: Sequence[AlarmChange], now_us: int, outcome: Outcome) -> None:
        outcome.alarms.extend(changes)
        outcome.deliveries.extend(self.outbox.offer(changes, now_us))

    def _record_delivery(self, delivery: Delivery) -> None:
        """Who was told of what, and of what nobody could be told."""
        detail = {
            "delivery": delivery.id,
            "output": delivery.channel,
            "change": delivery.change,
            "attempts": delivery.attempts,
        }
        action = f"output.{delivery.status.value}"
        subject = "test" if delivery.test else f"alarm {delivery.alarm_id}"
        reason = delivery.receipt or delivery.problem
        self.audit.add(delivery.done_us, SYSTEM, action, subject, reason, detail=detail)

    def _chain(self, row: HistoryRow) -> None:
        """Each row of the history has its entry: to alter one is to break the chain."""
        detail = {"history": row.id, "sha256": history_digest(*row).hex()}
        action, subject = f"history.{row.change}", f"alarm {row.alarm_id}"
        self.audit.add(row.at_us, row.by or SYSTEM, action, subject, detail=detail)
