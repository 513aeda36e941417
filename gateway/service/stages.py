# SPDX-License-Identifier: MIT
"""Service: both stages and their records as one value, stepped without I/O and without a clock.

The running gateway steps them in two tasks with a commit between; tools and tests step them in one
go (`uplink`, `tick`, `act`). Both are the same code. Two runs over one input give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from gateway.alarms import AlarmRules
from gateway.audit.chain import history_digest
from gateway.audit.doubts import Doubts
from gateway.audit.log import AuditLog
from gateway.audit.seal import part_of
from gateway.faults import Condition, Faults
from gateway.fusion.rules import Rules
from gateway.intake.downlink import floor_at
from gateway.intake.intake import FAULT, Intake
from gateway.intake.nodes.battery import Batteries
from gateway.intake.taken import Taken
from gateway.keys import KeyRing
from gateway.model.actions.acts import Act, act_name, act_subject, act_to_dict
from gateway.model.actions.cue import (
    CUE_ACT_NAMES,
    CueAct,
    CueChange,
    CueKind,
    EndCuePolicy,
    SetCuePolicy,
)
from gateway.model.actions.record import LEFT_OUT, SYSTEM
from gateway.model.alarm import AlarmKind
from gateway.model.detection import Detection
from gateway.model.entry import Entry
from gateway.model.observation import AreaCondition
from gateway.model.place.site import Site
from gateway.monitor.monitor import Monitor
from gateway.monitor.policy import Policy, saved
from gateway.monitor.step import Changes
from gateway.node_commands.commands import NodeCommands, Running
from gateway.outbox.outbox import Channel, Delivery, Outbox
from gateway.performance.monitored_time import MonitoredTime
from gateway.service.outcome import Outcome
from gateway.service.records.act_keys import ActKeys
from gateway.service.records.enrolment_record import EnrolmentRecord
from gateway.service.records.erasing import Eraser
from gateway.service.records.policy_record import NewPolicy, PolicyRecord, by_subject
from gateway.service.records.sealing import Sealer
from gateway.store.interface import HistoryRow, LeftOut, MessageRow, Snapshot, Writes
from gateway.store.records import TABLES
from gateway.updates.service import OF_UPDATES, Effects, UpdateService
from gateway.wire.messages import DownMessage, Health

_ACTS = get_args(Act)
_CUE_ACTS = get_args(CueAct)
_POLICY_ACTS = (SetCuePolicy, EndCuePolicy)


class Stages:
    """`snapshot` is what a store held when the last run ended. `down` gathers messages to nodes."""

    def __init__(
        self,
        site: Site,
        keys: Mapping[str, KeyRing],
        snapshot: Snapshot | None = None,
        rules: Rules | None = None,
        alarm_rules: AlarmRules | None = None,
        audit: AuditLog | None = None,
        channels: Sequence[Channel] = (),
        devices: Mapping[str, frozenset[CueKind]] | None = None,
    ) -> None:
        sectors = {node.id: node.sector for node in site.nodes.values()}
        policy = Policy(site, rules or Rules(), alarm_rules or AlarmRules(sectors), devices or {})
        self.site = site
        self.down: list[tuple[str, DownMessage]] = []
        self.faults = Faults()  # of what is no step of the monitor
        self.audit = audit or AuditLog()
        self.intake = Intake(site, keys, self.faults)
        self.monitor = Monitor(policy)
        self.updates = UpdateService(sectors, self.audit)
        self.node_commands = NodeCommands(self._running, lambda: self.intake.messages, self.audit)
        self.batteries = Batteries()
        self.monitored_time = MonitoredTime()
        self.eraser = Eraser(self.audit)
        self.sealer = Sealer(self.audit)
        self.enrolment = EnrolmentRecord(self.audit)
        self.policies = PolicyRecord(self.audit)
        self.act_keys = ActKeys()
        self.doubts = Doubts(self.audit)
        self.outbox = Outbox(
            site.name, channels, self._record_delivery, lambda x, y: self.site.latlon(x, y)
        )
        self._parts = (
            self.updates,
            self.node_commands,
            self.batteries,
            self.eraser,
            self.enrolment,
            self.policies,
            self.act_keys,
            self.doubts,
            self.outbox,
        )
        snapshot = snapshot or Snapshot()
        self.audit.restore(snapshot)
        self.intake.restore(snapshot)
        self.monitor.restore(snapshot)
        for part in (*self._parts, self.monitored_time, self.sealer):
            with self.faults.guard(f"restart of {type(part).__name__}"):
                part.restore(snapshot)
        self._started = False

    @property
    def policy(self) -> Policy:
        """What is in force."""
        return self.monitor.state.policy

    def start(self, now_us: int) -> list[Entry]:
        """A run begins: its entry of the log. What an earlier run took in and did not process comes
        before it. A fault that an earlier run left active is reported again if it goes on."""
        self._started = True
        self.sealer.report(now_us)
        self.intake.downlinks.start_above(floor_at(now_us))
        entries = self.intake.append(now_us, SYSTEM, self.monitor.start(now_us))
        for alarm in self.monitor.state.alarms.open:
            if alarm.kind is AlarmKind.PROCESSING_FAULT and alarm.active:
                over = AreaCondition(alarm.kind, alarm.key, alarm.nodes, alarm.sectors, False, "")
                entries += self.intake.append(now_us, SYSTEM, over)
        return entries

    def receive(self, arrival_us: int, topic: str, payload: bytes) -> Taken:
        """First stage: bytes that came on a topic; never raises, whatever they hold."""
        taken, guard = self.intake.uplink(arrival_us, topic, payload), self.faults.guard
        if isinstance(taken.message, OF_UPDATES):
            with guard("update"):
                effects = self.updates.process(taken.node, taken.message, arrival_us)
                taken.entries += self.apply(effects, arrival_us)
        if isinstance(taken.message, Health):
            with guard("trend of batteries"):
                self.batteries.on_health(taken.node, arrival_us, taken.message.battery_mv)
        if taken.message is not None:
            with guard("answer to a command"):
                boot = self.intake.registry.views[taken.node].boot
                self.down += self.node_commands.receive(taken.node, boot, taken.message, arrival_us)
        return taken

    def pass_time(self, now_us: int) -> list[Entry]:
        """First stage: nodes that are missed, updates and commands that wait, faults to report.
        Never raises: one part that fails does not stop the others."""
        watch, entries = self.faults.watch, list[Entry]()
        with watch("commands over time"):
            self.down += self.node_commands.tick(now_us)
        entries += self.intake.tick(now_us)
        with watch("updates over time"):
            entries += self.apply(self.updates.tick(now_us), now_us)
        for condition in self.faults.take(now_us):
            with self.faults.guard("log"):
                entries += self.intake.append(now_us, SYSTEM, self._of_area(condition))
        return entries

    def set_policy(self, now_us: int, by: str, new: NewPolicy) -> tuple[list[Entry], list[str]]:
        """First stage: another policy from now on, and the site may have more nodes: (entries,
        changed subjects), recorded under the name `by`."""
        before, now = self.policy, new.policy
        entries = self.intake.append(now_us, by, saved(now)) if now != before else []
        self.site = now.site
        self.intake.set_site(now.site, new.keys)
        self.updates.set_sectors(now.alarms.sector_of)
        self.outbox.set_channels(new.channels, now_us)
        changed = self.policies.note(now_us, by, {**by_subject(now), **new.outputs}, new.hidden)
        if changed:
            detail = {"before": before.digest, "after": now.digest}
            self.audit.add(now_us, by, "orders.load", f"site {now.site.name}", detail=detail)
        return entries, changed

    def process(self, entry: Entry) -> Outcome:
        """Second stage: one entry of the log."""
        changes = self.monitor.process(entry)
        outcome = self._outcome(changes, entry.at_us)
        outcome.done, outcome.problem = changes.done, changes.refused
        if isinstance(entry.given, Detection):
            outcome.detections.append(entry.given)
        elif isinstance(entry.given, (*_ACTS, *_CUE_ACTS)):
            with self.faults.guard("record of an act"):
                self.act_keys.settle(entry.id, changes.done)
                if changes.done and isinstance(entry.given, _POLICY_ACTS):
                    self._record_cue_policy(entry.at_us, entry.given)
                elif changes.done and isinstance(entry.given, _ACTS):
                    self._record_act(entry.at_us, entry.given)
        return outcome

    def tick_monitor(self, now_us: int) -> Outcome:
        """Second stage: time passes."""
        return self._outcome(self.monitor.tick(now_us), now_us)

    def uplink(self, arrival_us: int, topic: str, payload: bytes) -> Outcome:
        """Both stages, one after the other."""
        self._begin(arrival_us)
        taken = self.receive(arrival_us, topic, payload)
        outcome = Outcome(taken.node, taken.refused, taken.duplicate, message=taken.message)
        for entry in taken.entries:
            outcome.absorb(self.process(entry))
        return outcome

    def tick(self, now_us: int) -> Outcome:
        """Both stages, one after the other."""
        self._begin(now_us)
        outcome = Outcome()
        for entry in self.pass_time(now_us):
            outcome.absorb(self.process(entry))
        outcome.absorb(self.tick_monitor(now_us))
        return outcome

    def take(self, at_us: int, source: str, given: object) -> Outcome:
        """An act, an observation of a connector, a policy: both stages, one after the other."""
        self._begin(at_us)
        outcome = Outcome()
        for entry in self.intake.append(at_us, source, given):
            outcome.absorb(self.process(entry))
        return outcome

    def committed(self) -> None:
        """All that was taken is stored."""
        self.intake.committed(self.intake.take_promise())

    def take_writes(self, now_us: int = 0, everything: bool = True) -> Writes:
        """Everything to be kept since the last call.

        `everything` False leaves out rows that may wait for a later call.
        """
        writes = Writes()
        self.intake.collect(writes, now_us, everything)
        self.monitor.collect(writes)
        # The rows of a part may be lost; those of all others must not wait for ever.
        with self.faults.watch("rows of monitored time"):
            self.monitored_time.collect(writes, everything)
        for part in self._parts:
            with self.faults.watch(f"rows of {type(part).__name__}"):
                part.collect(writes)
        with self.faults.watch("seals of records"):
            self.sealer.collect(writes, now_us, self.audit.waits, everything)
        with self.faults.watch("rows of the audit"):
            self.audit.collect(writes)
        return writes

    def left_out(self, now_us: int, given: LeftOut) -> None:
        """The store did not accept a row: of a message its bytes are kept in quarantine."""
        self.faults.report(f"a row of {given.table}", given.error)
        if given.table in TABLES:  # a seal may cover it: without an entry it was deleted by others
            kept, day = part_of(TABLES[given.table], given.row)
            detail = {"table": given.table, "number": given.row[0], "class": kept, "day": day}
            subject = f"{given.table} {given.row[0]}"
            self.audit.add(now_us, SYSTEM, LEFT_OUT, subject, given.error, detail=detail)
        if given.table == "message":
            row = MessageRow(*given.row)
            self.intake.quarantine.add(now_us, FAULT, row.node, "", row.payload)

    def _begin(self, now_us: int) -> None:
        if not self._started:
            for entry in self.start(now_us):
                self.process(entry)

    def _running(self, node: str) -> Running | None:
        view = self.intake.registry.views.get(node)
        start_us = self.intake.clocks.times((node, view.boot))[0] if view else None
        if view is None or start_us is None:
            return None
        seen_us = view.last_seen_us or 0
        return Running(view.boot, start_us, view.schema, view.contact_s, seen_us)

    def apply(self, effects: Effects, now_us: int) -> list[Entry]:
        """The effects of an update: messages to nodes, and conditions for the log."""
        self.down += effects.down
        return [
            entry
            for condition in effects.conditions
            for entry in self.intake.append(now_us, condition.node, condition)
        ]

    def _of_area(self, fault: Condition) -> AreaCondition:
        node = self.site.nodes.get(fault.node)
        nodes, sectors = ((node.id,), (node.sector,)) if node else ((), tuple(self.site.sectors))
        return AreaCondition(
            AlarmKind.PROCESSING_FAULT, fault.part, nodes, sectors, fault.active, fault.reason
        )

    def _outcome(self, changes: Changes, now_us: int) -> Outcome:
        """What follows from a step that counts. One part that fails does not stop the others."""
        guard, outcome = self.faults.guard, Outcome()
        for row in self.monitor.take_unchained():
            with guard("record of an alarm"):
                self._chain(row)
        for change in changes.cues:
            with guard("record of a cue"):
                self._record_cue(change)
        for alarm in changes.alarms:
            with guard("notification"):
                outcome.deliveries += self.outbox.offer((alarm,), now_us)
        outcome.events, outcome.alarms = list(changes.events), list(changes.alarms)
        outcome.cues = list(changes.cues)
        return outcome

    def _record_act(self, at_us: int, act: Act) -> None:
        self.monitored_time.note_walks(self.monitor.state.alarms.walks)
        reason = getattr(act, "reason", "") or getattr(act, "note", "")
        until_us = getattr(act, "until_us", None)
        name, subject = act_name(act), act_subject(act)
        self.audit.add(at_us, act.by, name, subject, reason, until_us, act_to_dict(act))

    def _record_cue(self, change: CueChange) -> None:
        """Every step in the life of a cue, and its actor."""
        cue = change.cue
        detail = {
            "kind": cue.kind.value,
            "confirmed_by": cue.confirmed_by,
            "x_m": cue.x_m,
            "y_m": cue.y_m,
            "alarm": cue.alarm_id,
        }
        action, subject = f"cue.{cue.state.value}", f"cue {cue.id} of {cue.device}"
        by = change.by or SYSTEM
        self.audit.add(change.at_us, by, action, subject, cue.problem, cue.expires_us, detail)

    def _record_cue_policy(self, at_us: int, act: SetCuePolicy | EndCuePolicy) -> None:
        name = CUE_ACT_NAMES[type(act)]
        if isinstance(act, SetCuePolicy):
            subject = f"sector {act.sector} by {act.device}"
            self.audit.add(at_us, act.by, name, subject, act.reason, act.until_us)
        else:
            self.audit.add(at_us, act.by, name, f"policy {act.policy_id}", act.reason)

    def _record_delivery(self, delivery: Delivery) -> None:
        """Each notification, sent or not, with its recipient."""
        detail = {
            "delivery": delivery.id,
            "output": delivery.channel,
            "change": delivery.change,
            "attempts": delivery.attempts,
        }
        if delivery.recipient:
            detail["to"] = delivery.recipient
        action = f"output.{delivery.status.value}"
        subject = "test" if delivery.test else f"alarm {delivery.alarm_id}"
        reason = delivery.receipt or delivery.problem
        self.audit.add(delivery.done_us, SYSTEM, action, subject, reason, detail=detail)

    def _chain(self, row: HistoryRow) -> None:
        """Each row of the history has its entry: to alter one is to break the chain."""
        detail = {"history": row.id, "sha256": history_digest(*row).hex()}
        action, subject = f"history.{row.change}", f"alarm {row.alarm_id}"
        self.audit.add(row.at_us, row.by or SYSTEM, action, subject, detail=detail)
