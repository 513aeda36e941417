# SPDX-License-Identifier: MIT
"""Intake: node registry: the state of each node, and when it is offline. No clock, no I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

from gateway.alarms import NodeCondition
from gateway.alarms.coverage import Presence
from gateway.intake.nodes import conditions
from gateway.model import node_settings, text
from gateway.model.alarm import AlarmKind
from gateway.wire.messages import Condition, Health, Hello

# Three missed heartbeats of 60 s (EN 50131 asks for less than 180 s in grade 3); of a node that
# states that its own come less often, three of those.
LOST_AFTER_US = 180_000_000
_LOST_AFTER_BEATS = 3
# A heartbeat comes up to 20 % later; a contact takes a join and a connection.
_LATEST_BEAT = 1.2
_CONTACT_S = 30
# The Will reports a broken connection; a node that runs reconnects within this.
WILL_GRACE_US = 20_000_000
# So many failed authentications in so long are an attack, not noise.
FORGERY_COUNT = 10
FORGERY_US = 60_000_000
_TICK_US = 250_000

_RADIO_OVER_MS = 6 * 3_600_000
NO_RSSI = -128  # not known, or a wire
_MAX_GONE = 20


class Suspicion(Enum):
    """Signs that another sender uses a node's key or name: (detail of the alarm, text)."""

    REVOKED = ("revoked", "was revoked and still sends: its board or a copy of it is in use")
    CLONE = (
        "twin",
        "has two senders with one key: a copy of it, or its flash was wiped under its old key",
    )
    STALE = (
        "stale key",
        "sends under a key it has erased: a copy of it was made before its last key rotation",
    )
    MISUSE = ("misuse", "logs in and then acts as another node: its key was stolen")


@dataclass(slots=True)
class NodeView:
    """The latest state of one node; None: never reported."""

    boot: int = 0
    last_seen_us: int | None = None
    will_us: int | None = None
    lost: bool = False
    forged: bool = False
    fw: str = ""
    board: str = ""
    schema: int = 0  # version of the wire that its firmware has
    settings: dict[str, int] | None = None  # as its newest hello states them
    # boot, t_ms, radio_s, asleep_s of an earlier hello
    radio_base: list[int] = field(default_factory=list)
    radio_share: float | None = None  # of the time; measured by a node in radio burst
    asleep_share: float | None = None  # of the time; measured by a sentinel
    reset_cause: str = ""
    reset_detail: str = ""
    battery_mv: int | None = None
    rssi_dbm: int | None = None
    floor_um_s: float | None = None
    samples_missed: int | None = None
    ledger_pending: int | None = None
    records_dropped: int = 0
    gone: list[list[int]] = field(default_factory=list)  # [boot, first, last] given up, the newest
    backfilled: int = 0  # durable messages that came after later ones
    messages: int = 0
    duplicates: int = 0
    last_detection_us: int | None = None
    conditions: dict[str, int] = field(default_factory=dict)
    applied: dict[str, list[int]] = field(default_factory=dict)
    level: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def lost_after_us(self) -> int:
        """Time without a message after which it is offline."""
        beat_s = (self.settings or {}).get("heartbeat_s", 0)
        return max(LOST_AFTER_US, _LOST_AFTER_BEATS * beat_s * 1_000_000)

    @property
    def contact_s(self) -> int:
        """Longest time between two contacts of a node in radio burst; 0: it stays connected."""
        settings = self.settings or {}
        if not settings.get("radio"):
            return 0
        return int(settings.get("heartbeat_s", 0) * _LATEST_BEAT) + _CONTACT_S

    @property
    def is_sentinel(self) -> bool:
        """Whether it sleeps until the ground moves: no detection from it is no evidence."""
        return bool((self.settings or {}).get(node_settings.SAMPLING.name))

    def note_duty(self, boot: int, t_ms: int, radio_s: int | None, asleep_s: int | None) -> None:
        """The shares of the time that the radio was on and the node slept, over some hours."""
        if radio_s is None:
            self.radio_base, self.radio_share, self.asleep_share = [], None, None
            return
        now = [boot, t_ms, radio_s, asleep_s or 0]
        base = self.radio_base
        rises = len(base) == 4 and all(new >= old for new, old in zip(now, base, strict=True))
        if asleep_s is None:
            self.asleep_share = None
        if rises and base[0] == boot and t_ms > base[1]:
            passed_ms = t_ms - base[1]
            self.radio_share = min(1.0, (radio_s - base[2]) * 1000 / passed_ms)
            if asleep_s is not None:
                asleep = (asleep_s - base[3]) * 1000 / passed_ms
                self.asleep_share = min(1.0 - self.radio_share, asleep)
            if passed_ms < _RADIO_OVER_MS:
                return
        self.radio_base = now


_VIEW_FIELDS = tuple(item.name for item in fields(NodeView))


class NodeRegistry:
    """Views of all nodes of a site; `dirty` names those that changed in what no message holds."""

    def __init__(self, sectors: dict[str, str]) -> None:
        self._sectors = sectors
        self.views = {node: NodeView() for node in sectors}
        self.dirty: set[str] = set()
        self.duplicates = 0  # copies of durable messages, of all nodes
        self._bad_tags: dict[str, deque[int]] = {
            node: deque(maxlen=FORGERY_COUNT) for node in sectors
        }
        self.revoked: frozenset[str] = frozenset()
        # Recent suspicions, and when last.
        self._suspected_us: dict[tuple[str, Suspicion], int] = {}
        self._since_us = self._ticked_us = 0
        self._reported: set[str] = set()
        self._broken: set[str] = set()
        self._lost: set[str] = set()
        # Live views: ten thousand nodes are not looked through again and again.
        self.presence = Presence(self._reported, self._broken, self._lost)

    def firmware(self) -> dict[str, tuple[str, str]]:
        """(board, version) by node; empty where a node has not reported it."""
        return {name: (view.board, view.fw) for name, view in self.views.items()}

    def add(self, node: str, sector: str) -> None:
        """A node that is new on the site."""
        self._sectors[node] = sector
        self.views[node] = NodeView()
        self._bad_tags[node] = deque(maxlen=FORGERY_COUNT)

    def restore(self, node: str, saved: str) -> None:
        """From the JSON of a view; a node no longer of the site is passed over."""
        if node in self.views:
            view = self.views[node] = text.parse_json(saved, NodeView)
            self.duplicates += view.duplicates
            for names, holds in (
                (self._reported, view.last_seen_us is not None),
                (self._broken, view.will_us is not None),
                (self._lost, view.lost),
            ):
                if holds:
                    names.add(node)

    def save(self, node: str) -> dict[str, Any]:
        """Plain values, to be made JSON at once: they are not copies."""
        view = self.views[node]
        return {name: getattr(view, name) for name in _VIEW_FIELDS}

    def on_fresh(self, node: str, boot: int, arrival_us: int) -> list[NodeCondition]:
        """An authentic message that is no copy: the node is there."""
        view = self.views[node]
        view.messages += 1
        view.boot = max(view.boot, boot)
        view.last_seen_us = max(arrival_us, view.last_seen_us or 0)
        view.will_us = None
        self._reported.add(node)
        self._broken.discard(node)
        if not view.lost:
            return []
        view.lost = False
        self._lost.discard(node)
        self.dirty.add(node)
        return [self._missing(node, False, "")]

    def on_given_up(self, node: str, boot: int, ranges: list[tuple[int, int]]) -> None:
        """Durable messages that never came and that the node no longer has."""
        view = self.views[node]
        view.records_dropped += sum(last - first + 1 for first, last in ranges)
        view.gone = [*view.gone, *([boot, *pair] for pair in ranges)][-_MAX_GONE:]

    def on_duplicate(self, node: str) -> None:
        """A copy of a durable message: the node has not had its receipt."""
        self.views[node].duplicates += 1
        self.duplicates += 1

    def on_will(self, node: str, arrival_us: int) -> None:
        """The broker reports that the node's connection broke."""
        self.views[node].will_us = arrival_us
        self._broken.add(node)

    def on_hello(self, node: str, boot: int, hello: Hello) -> list[NodeCondition]:
        """A node introduces itself; of an older boot it comes too late to count."""
        view = self.views[node]
        if boot < view.boot:
            return []
        view.fw, view.board, view.schema = hello.fw, hello.board, hello.schema
        stated = None if hello.settings is None else node_settings.decode(hello.settings)
        # Of older firmware, and in safe mode, the fixed ones.
        view.settings = None if stated is None else {**node_settings.DEFAULTS, **stated}
        view.note_duty(boot, hello.t_ms, hello.radio_s, hello.asleep_s)
        view.reset_cause, view.reset_detail = hello.reset_cause.label, hello.reset_detail or ""
        return self._conditions(node, conditions.on_hello(view, boot, hello))

    def on_health(self, node: str, health: Health) -> NodeView:
        """A heartbeat."""
        view = self.views[node]
        view.battery_mv = health.battery_mv
        view.rssi_dbm = None if health.rssi_dbm == NO_RSSI else health.rssi_dbm
        view.floor_um_s = health.floor_um_s_x100 / 100
        view.samples_missed = health.samples_missed
        view.ledger_pending = health.ledger_pending
        return view

    def on_condition(
        self, node: str, boot: int, seq: int, condition: Condition
    ) -> list[NodeCondition]:
        """A durable report of a condition."""
        changes = conditions.on_report(self.views[node], boot, seq, condition)
        return self._conditions(node, changes)

    def on_bad_tag(self, node: str, arrival_us: int) -> list[NodeCondition]:
        """A message in the node's name that its key did not seal."""
        recent = self._bad_tags[node]
        recent.append(arrival_us)
        view = self.views[node]
        if view.forged or len(recent) < FORGERY_COUNT or recent[-1] - recent[0] > FORGERY_US:
            return []
        view.forged = True
        self.dirty.add(node)
        return [self._forgery(node, True)]

    def on_refusal(
        self, reason: str, node: str, arrival_us: int, lingers: bool
    ) -> list[NodeCondition]:
        """A message was refused: what points to an attack is a condition. `lingers`: an old boot
        of the node is still sending."""
        match reason:
            case "bad_tag":
                return self.on_bad_tag(node, arrival_us)
            case "stale_key":
                return self.on_suspect(node, Suspicion.STALE, arrival_us)
            case "revoked":
                return self.on_revoked(node, arrival_us)
            case "two_senders":
                return self.on_suspect(node, Suspicion.CLONE, arrival_us)
            case "old_boot" if lingers:
                return self.on_suspect(node, Suspicion.CLONE, arrival_us)
        return []

    def on_revoked(self, node: str, arrival_us: int) -> list[NodeCondition]:
        """A revoked node's board, or a copy of it, sends or logs in at the broker."""
        return self.on_suspect(node, Suspicion.REVOKED, arrival_us)

    def on_suspect(self, node: str, what: Suspicion, arrival_us: int) -> list[NodeCondition]:
        """Another sender uses the key or name of the node; reported once until it has ended."""
        known = (node, what) in self._suspected_us
        self._suspected_us[(node, what)] = arrival_us
        return [] if known else [self._suspect(node, what, True)]

    def tick(self, now_us: int) -> list[NodeCondition]:
        """Nodes that are offline by now, and attempts that ended; checked four times a second."""
        if 0 <= now_us - self._ticked_us < _TICK_US:
            return []
        if now_us - self._ticked_us > LOST_AFTER_US:
            # The gateway was off or its clock was set: every node gets its time to report.
            self._since_us = now_us
        elif now_us < self._ticked_us:
            self._set_back(now_us)
        self._ticked_us = now_us
        found = []
        for node, view in self.views.items():
            if node not in self.revoked and (reason := self._missed(view, now_us)):
                view.lost = True
                self._lost.add(node)
                self.dirty.add(node)
                found.append(self._missing(node, True, f"{node} {reason}"))
            recent = self._bad_tags[node]
            if view.forged and (not recent or now_us - recent[-1] > FORGERY_US):
                view.forged = False
                self.dirty.add(node)
                found.append(self._forgery(node, False))
        for (node, what), at_us in list(self._suspected_us.items()):
            if abs(now_us - at_us) > FORGERY_US:
                del self._suspected_us[(node, what)]
                found.append(self._suspect(node, what, False))
        return found

    def _set_back(self, now_us: int) -> None:
        """The clock was set back: times in the future would hide that nodes are offline."""
        self._since_us = min(self._since_us, now_us)
        for node, view in self.views.items():
            view.last_seen_us = view.last_seen_us and min(view.last_seen_us, now_us)
            view.will_us = view.will_us and min(view.will_us, now_us)
            self._bad_tags[node] = deque(
                (min(at_us, now_us) for at_us in self._bad_tags[node]), FORGERY_COUNT
            )
            self.dirty.add(node)

    def _missed(self, view: NodeView, now_us: int) -> str:
        if view.lost or view.last_seen_us is None:
            return ""
        if view.will_us is not None and now_us - view.will_us > WILL_GRACE_US:
            return "lost its connection and did not reconnect"
        last_us = max(view.last_seen_us, self._since_us)
        if now_us - last_us > view.lost_after_us:
            return f"has not reported for {view.lost_after_us // 1_000_000} s"
        return ""

    def _conditions(self, node: str, changes: conditions.Changes) -> list[NodeCondition]:
        """Those that are an alarm."""
        sector, values = self._sectors[node], self.views[node].conditions
        return [
            NodeCondition(
                alarm, node, sector, name, active, conditions.reason(node, name, values.get(name))
            )
            for name, active in changes
            if (alarm := conditions.ALARMS.get(name)) is not None
        ]

    def _suspect(self, node: str, what: Suspicion, active: bool) -> NodeCondition:
        detail, text = what.value
        sector = self._sectors[node]
        return NodeCondition(AlarmKind.FORGERY, node, sector, detail, active, f"{node} {text}")

    def _missing(self, node: str, active: bool, reason: str) -> NodeCondition:
        sector = self._sectors[node]
        return NodeCondition(AlarmKind.NODE_LOST, node, sector, "lost", active, reason)

    def _forgery(self, node: str, active: bool) -> NodeCondition:
        reason = f"{FORGERY_COUNT} or more messages or log-ins of {node} failed authentication"
        sector = self._sectors[node]
        return NodeCondition(AlarmKind.FORGERY, node, sector, "forgery", active, reason)
