# SPDX-License-Identifier: MIT
"""The store: rows as plain values, one atomic commit, one snapshot to start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, Protocol

from gateway.config.retention import RecordClass

# State rows of counters that go on when the rows they counted are gone.
COUNT_MESSAGES, COUNT_DETECTIONS = "count:messages", "count:detections"
COUNT_ALARMS, COUNT_HISTORY = "count:alarms", "count:history"
COUNT_LOG, COUNT_TICKS = "count:log", "count:ticks"
# The last entry of the log whose results the store holds.
CURSOR = "monitor:cursor"
# Every message up to this one is in the rows of its node.
APPLIED = "intake:applied"
# Not empty: a command found the store replaced, and the next start skips counters.
SKIP_DUE = "down_skip"
# The gateway's clock when it was last stored, UTC microseconds.
CLOCK = "clock"
# Closed alarms without a change since that moment may be erased; UTC microseconds.
ALARMS_ERASED = "erased:alarms"


class MessageRow(NamedTuple):
    """An uplink, numbered in the order of intake; (node, space, boot, seq) is unique."""

    id: int
    node: str
    space: int
    boot: int
    seq: int
    arrival_us: int
    kind: str
    payload: bytes


class DetectionRow(NamedTuple):
    """A detection report, numbered in the order of intake; (node, boot, seq) is unique."""

    id: int
    node: str
    boot: int
    seq: int
    onset_ms: int
    phase: str
    target: str
    confidence_pct: int
    peak_um_s_x100: int
    onset_us: int
    report_us: int
    uncertainty_us: int
    arrival_us: int


class BootRow(NamedTuple):
    """Completeness and clock of one boot of one node."""

    node: str
    boot: int
    upto: int
    missing: int
    start_us: int | None
    spread_us: int | None
    samples: int | None
    at_us: int | None


class NodeRow(NamedTuple):
    """What must survive a restart for one node, up to the message `applied_id`."""

    node: str
    window_newest: int
    window_bits: bytes
    down_reserved: int
    last_seen_us: int
    applied_id: int = 0


class AlarmRow(NamedTuple):
    """One alarm as it stands; `value` is its JSON."""

    id: int
    kind: str
    key: str
    raised_us: int
    open: int
    value: str


class HistoryRow(NamedTuple):
    """One change of one alarm; `value` is the alarm's JSON after it."""

    id: int
    alarm_id: int
    at_us: int
    change: str
    by: str
    value: str


class AuditRow(NamedTuple):
    """Actor, action, subject, reason and end (gateway.audit.log makes them).

    `digest` is of the content, `link` the chain's value after this entry.
    """

    id: int
    at_us: int
    actor: str
    action: str
    subject: str
    reason: str
    until_us: int | None
    detail_json: str
    salt: bytes
    digest: bytes
    link: bytes


class CheckpointRow(NamedTuple):
    """The chain's value at an entry, signed (gateway.audit.checkpoint)."""

    number: int
    link: bytes
    at_us: int
    key_id: bytes
    signature: bytes


class LogRow(NamedTuple):
    """One input of the monitor, numbered in the order of the log; `value` is its JSON."""

    id: int
    at_us: int
    kind: str
    source: str
    value: str


class TickRow(NamedTuple):
    """A moment at which passing time changed something, after the entry `after_id` of the log."""

    id: int
    after_id: int
    at_us: int
    kind: str


class SkippedRow(NamedTuple):
    """An entry of the log that the monitor could not process."""

    id: int
    at_us: int
    source: str
    error: str


class ActKeyRow(NamedTuple):
    """The idempotency key of an act, its operator, its entry of the log, and whether it was
    possible: 1 or 0, and -1 as long as the monitor has not processed it."""

    at_us: int
    actor: str
    key: str
    log_id: int
    done: int


class QuarantineRow(NamedTuple):
    """Something that was refused: the first bytes of it, and its whole size in bytes."""

    id: int
    arrival_us: int
    reason: str
    node: str
    topic: str
    size: int
    head: bytes


class LeftOut(NamedTuple):
    """A row that the store does not accept: its table, its values, and the type of the error."""

    table: str
    row: tuple[Any, ...]
    error: str


class Expired(NamedTuple):
    """Records of one class that are older than they may be; `more` than `rows` were not counted;
    `upto` is of the audit's entries; `portion` is what goes next, numbers by table."""

    before_us: int
    rows: int
    more: bool
    upto: int | None
    portion: Mapping[str, tuple[int, ...]]


@dataclass(slots=True)
class Writes:
    """All that one commit makes durable, or none of it. Upserts coalesce by key.

    An empty value of `state` ends that row. `erase` has the numbers of rows that go, by table.
    """

    messages: list[MessageRow] = field(default_factory=list)
    detections: list[DetectionRow] = field(default_factory=list)
    boots: dict[tuple[str, int], BootRow] = field(default_factory=dict)
    nodes: dict[str, NodeRow] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    alarms: dict[int, AlarmRow] = field(default_factory=dict)
    history: list[HistoryRow] = field(default_factory=list)
    refused: dict[tuple[str, str], int] = field(default_factory=dict)
    audit: list[AuditRow] = field(default_factory=list)
    checkpoints: list[CheckpointRow] = field(default_factory=list)
    quarantine: list[QuarantineRow] = field(default_factory=list)
    log: list[LogRow] = field(default_factory=list)
    ticks: list[TickRow] = field(default_factory=list)
    skipped: list[SkippedRow] = field(default_factory=list)
    act_keys: list[ActKeyRow] = field(default_factory=list)
    erase: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in _TABLES)

    def absorb(self, later: Writes) -> None:
        """Add what came later, keeping its order."""
        self.messages += later.messages
        self.detections += later.detections
        self.boots |= later.boots
        self.nodes |= later.nodes
        self.state |= later.state
        self.alarms |= later.alarms
        self.history += later.history
        self.refused |= later.refused
        self.audit += later.audit
        self.checkpoints += later.checkpoints
        self.quarantine += later.quarantine
        self.log += later.log
        self.ticks += later.ticks
        self.skipped += later.skipped
        self.act_keys += later.act_keys
        self.erase |= later.erase


_TABLES = tuple(item.name for item in fields(Writes))
CLOSED_LOADED = 200
# Starts of a node that are known. Its ledger holds fewer records than that, each of one start.
KEPT_BOOTS = 2048


@dataclass(slots=True)
class Snapshot:
    """What the store knows at start-up. `above` are durable seqs beyond each boot's `upto`;
    `detections` counts activities, by their onsets."""

    boots: list[BootRow] = field(default_factory=list)
    boot_floors: dict[str, int] = field(default_factory=dict)  # of nodes with KEPT_BOOTS of them
    nodes: list[NodeRow] = field(default_factory=list)
    above: list[tuple[str, int, int]] = field(default_factory=list)
    state: dict[str, str] = field(default_factory=dict)
    open_alarms: list[str] = field(default_factory=list)
    closed_alarms: list[str] = field(default_factory=list)  # the newest CLOSED_LOADED, oldest first
    last_alarm_id: int = 0
    last_history_id: int = 0
    refused: list[tuple[str, str, int]] = field(default_factory=list)
    messages: int = 0
    detections: int = 0
    last_log_id: int = 0
    last_tick_id: int = 0
    cursor: int = 0  # entries of the log up to here have been processed
    act_keys: list[ActKeyRow] = field(default_factory=list)  # the newest, oldest first
    tail: list[MessageRow] = field(default_factory=list)  # messages that node rows do not hold yet
    last_detection_id: int = 0
    audit_head: tuple[int, bytes] | None = None  # number and link of the newest entry
    seal: str = ""  # detail of the newest entry that seals records, as JSON
    unsealed: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)  # rows beyond it
    edited: list[int] = field(default_factory=list)  # loaded alarms that were not as their history
    last_quarantine_id: int = 0
    newest_us: int | None = None  # the newest moment on record; None when nothing is


class Store(Protocol):
    """Used by one writer. All methods raise StoreError.

    `on_this_machine`: a commit waits for a disk only, never for a network.
    """

    on_this_machine: bool

    @property
    def warning(self) -> str:
        """What an operator must know; empty when there is nothing."""

    def open(self) -> None:
        """Open or create, and keep a second writer out."""

    def load(self) -> Snapshot:
        """What was committed before."""

    def commit(self, writes: Writes) -> None:
        """All of it durable when this returns, or an error and none of it; RowError for a row that
        is not accepted."""

    def commit_what_fits(self, writes: Writes) -> list[LeftOut]:
        """The same without the rows that are not accepted, which are returned. Slow."""

    def audit_link(self, number: int) -> bytes | None:
        """The chain's value at an entry of the audit; None when there is no such entry."""

    def log_after(self, after_id: int, limit: int) -> list[LogRow]:
        """Entries of the log beyond that number, oldest first."""

    def expired(self, cuts: Mapping[RecordClass, int]) -> dict[RecordClass, Expired]:
        """Classes that hold something older than their cut (UTC microseconds), and the portion to
        be erased next. Over a connection of its own: from any thread, and no commit waits."""

    def tidy(self) -> bool:
        """After erasing: leave nothing of it beside the tables; False when that must wait."""

    def alarms_since(self, raised_us: int, limit: int) -> list[str]:
        """JSON of the alarms raised since then, newest first."""

    def close(self) -> None:
        """Release the files."""
