# SPDX-License-Identifier: MIT
"""Node commands: open commands, sent again until the node answers or they expire.

A node does a command once, whatever comes twice (it remembers the ids of its boot), and answers by
a durable result. A command is never sent in another boot than the one in which it was first sent:
the node may have done it before it restarted, and a reboot would be done again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from gateway.model import node_settings, text
from gateway.model.actions.node_command import NodeCommand, NodeCommandKind, NodeCommandState
from gateway.model.actions.record import SYSTEM, Recorder
from gateway.store.interface import Snapshot, Writes
from gateway.wire import messages as wire

OPEN_MAX = 4  # of one node: it remembers eight
OPEN_ALL_MAX = 1000
KEPT = 200  # ended commands that are kept, of all nodes
RESEND_US = 15_000_000
# A node in radio burst listens for so long after a message of it (ugs.remote.burst: 2 s).
LISTENS_US = 1_500_000
DEFAULT_WAIT_US = 5 * 60_000_000
GRACE_US = 60_000_000  # after its end or a restart: a result in the node's ledger comes first
_SECOND_US = 1_000_000
_FIRST_ID = 1 << 31  # updates number theirs below
_ROW = "command:"  # prefix of the state rows
_UPTIME_MAX_MS = (1 << 32) - 1

_STATES = {
    wire.ResultStatus.OK: NodeCommandState.DONE,
    wire.ResultStatus.REFUSED: NodeCommandState.REFUSED,
    wire.ResultStatus.UNSUPPORTED: NodeCommandState.UNSUPPORTED,
    wire.ResultStatus.FAILED: NodeCommandState.FAILED,
    wire.ResultStatus.EXPIRED: NodeCommandState.EXPIRED,
}
_PROBLEMS = {
    wire.ResultStatus.REFUSED: "the node refused it",
    wire.ResultStatus.UNSUPPORTED: "the node's firmware or board does not support it",
    wire.ResultStatus.FAILED: "the node could not do it",
    wire.ResultStatus.EXPIRED: "it reached the node too late",
}
# Of all but ping and reboot, by the result's value (docs/wire.md section 7).
_DETAILS = {
    1: "the data were malformed",
    2: "its firmware does not know one of the settings",
    3: "a value is out of bounds",
    4: "it has no radio of its own",
    5: "it is busy with another such command",
    6: "its flash cannot be written",
    7: "its memory is short",
    8: "its board has no LED that answers",
    9: "sampling=sentinel needs radio=burst",
}
_DETAILED = frozenset(NodeCommandKind) - {NodeCommandKind.PING, NodeCommandKind.REBOOT}
# Version of the wire that a node needs; the others are as old as commands.
_SINCE = {NodeCommandKind.CONFIGURE: 3, NodeCommandKind.IDENTIFY: 3, NodeCommandKind.LOG: 3}
_KINDS = {kind: wire.CommandKind[kind.name] for kind in NodeCommandKind}


class Running(NamedTuple):
    """The newest boot of a node, when its uptime was 0, UTC microseconds, and which version of the
    wire it has. In radio burst: the longest time between two contacts, and when the newest was."""

    boot: int
    start_us: int
    schema: int = 0
    contact_s: int = 0
    seen_us: int = 0


Down = Sequence[tuple[str, wire.DownMessage]]


class NodeCommands:
    """`running` gives what is known of a node's boot, None before its first message; `messages` how
    many messages were taken in."""

    def __init__(
        self,
        running: Callable[[str], Running | None],
        messages: Callable[[], int],
        audit: Recorder,
    ) -> None:
        self._running = running
        self._messages = messages
        self._audit = audit
        self._open: dict[int, NodeCommand] = {}
        self._ended: dict[int, NodeCommand] = {}  # the newest last
        self._changed: dict[int, NodeCommand | None] = {}
        self._last_id = 0

    def find(self, number: int) -> NodeCommand | None:
        """One command, open or ended."""
        return self._open.get(number) or self._ended.get(number)

    def of(self, node: str) -> list[NodeCommand]:
        """All commands to a node that are known, the newest first."""
        found = [c for c in (*self._ended.values(), *self._open.values()) if c.node == node]
        return sorted(found, key=lambda one: one.id, reverse=True)

    def wait_us(self, node: str) -> int:
        """How long a command waits for an answer by default: through two contacts of a node in
        radio burst."""
        running = self._running(node)
        return DEFAULT_WAIT_US + 2 * (running.contact_s if running else 0) * _SECOND_US

    def objection(self, node: str, kind: NodeCommandKind, wait_us: int = DEFAULT_WAIT_US) -> str:
        """Why the node cannot be ordered this now; empty when it can."""
        running = self._running(node)
        if running is not None and running.schema and running.schema < _SINCE.get(kind, 0):
            return f"the firmware of {node} does not know {kind.value}: update it first"
        if running is not None and wait_us < running.contact_s * _SECOND_US:
            minutes = -(-running.contact_s // 60)
            return f"{node} is reached within {minutes} min: let the command wait as long"
        if sum(one.node == node for one in self._open.values()) >= OPEN_MAX:
            return f"{OPEN_MAX} commands to {node} are open: wait until one has ended"
        if len(self._open) >= OPEN_ALL_MAX:
            return f"{OPEN_ALL_MAX} commands are open: wait until some have ended"
        return ""

    def order(
        self,
        now_us: int,
        node: str,
        kind: NodeCommandKind,
        by: str,
        reason: str,
        expires_us: int,
        value: int | None = None,
        settings: dict[str, int] | None = None,
    ) -> tuple[NodeCommand, Down]:
        """A new command, to which there is no objection, and the message to the node if its boot
        is known."""
        # By the second, so that a store that was lost does not give a number again.
        clock = _FIRST_ID | (now_us // _SECOND_US & _FIRST_ID - 1)
        self._last_id = max(self._last_id + 1, clock)
        command = NodeCommand(
            id=self._last_id,
            node=node,
            kind=kind,
            by=by,
            reason=reason,
            ordered_us=now_us,
            expires_us=expires_us,
            value=value,
            settings=settings,
            contact_s=self._contact_s(node),
            after_message=self._messages(),
        )
        detail = {"settings": node_settings.shown(settings)} if settings else None
        action = f"command.{kind.value}"
        self._audit.add(now_us, by, action, f"node {node}", reason, expires_us, detail)
        self._put(command)
        down = self._send(command, now_us)
        return self._open[command.id], down

    def receive(self, node: str, boot: int, message: wire.UpMessage, now_us: int) -> Down:
        """A message of a node in a boot; messages to it."""
        if not self._open:
            return ()
        if isinstance(message, wire.Result):
            command = self._open.get(message.command_id)
            if command is not None and command.node == node:
                self._end_answered(command, now_us, message)
            return ()
        for command in list(self._open.values()):
            restarted = command.node == node and 0 < command.boot < boot
            if restarted and not command.restarted_us:
                self._put(msgspec.structs.replace(command, restarted_us=now_us))
        is_hello = isinstance(message, wire.Hello)
        if not is_hello and not self._contact_s(node):
            return ()
        again_us = LISTENS_US if is_hello else RESEND_US
        # What was sent to a connection that had ended did not arrive; a node does nothing twice.
        fresh = [
            one
            for one in self._open.values()
            if one.node == node and (not one.sent or now_us - one.sent_us >= again_us)
        ]
        return [pair for one in fresh for pair in self._send(one, now_us)]

    def tick(self, now_us: int) -> Down:
        """Time passes: commands that are sent again, and those that are over."""
        down: list[tuple[str, wire.DownMessage]] = []
        for command in list(self._open.values()):
            if command.restarted_us and now_us - command.restarted_us >= GRACE_US:
                self._end_restarted(command, now_us)
            elif now_us >= command.expires_us + GRACE_US:
                problem = "the node did not answer in time" if command.sent else "it was never sent"
                self._end(command, now_us, NodeCommandState.EXPIRED, problem)
            elif abs(now_us - command.sent_us) >= RESEND_US and now_us < command.expires_us:
                down += self._send(command, now_us)
        return down

    def collect(self, writes: Writes) -> None:
        """Rows that have changed since the last call."""
        for number, command in self._changed.items():
            writes.state[f"{_ROW}{number}"] = text.format_json(command) if command else ""
        self._changed.clear()

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from the state of an earlier run."""
        rows = sorted(
            (int(name.removeprefix(_ROW)), value)
            for name, value in snapshot.state.items()
            if name.startswith(_ROW) and value
        )
        for number, value in rows:
            command = text.parse_json(value, NodeCommand)
            (self._ended if command.state.final else self._open)[number] = command
            self._last_id = max(self._last_id, number)

    def _send(self, command: NodeCommand, now_us: int) -> Down:
        running = self._running(command.node)
        if running is None or (command.boot and running.boot != command.boot):
            return ()
        if running.contact_s and abs(now_us - running.seen_us) > LISTENS_US:
            return ()  # its radio is off until the node's next contact
        # The node refuses what comes after this uptime, however late a broker delivers it.
        expires_ms = (command.expires_us - running.start_us) // 1000
        message = wire.Command(
            id=command.id,
            kind=_KINDS[command.kind],
            expires_ms=min(max(0, expires_ms), _UPTIME_MAX_MS),
            value=command.value,
            data=None if command.settings is None else node_settings.encode(command.settings),
        )
        self._put(
            msgspec.structs.replace(
                command,
                state=NodeCommandState.SENT,
                boot=running.boot,
                sent_us=now_us,
                sent=command.sent + 1,
            )
        )
        return [(command.node, message)]

    def _contact_s(self, node: str) -> int:
        running = self._running(node)
        return running.contact_s if running else 0

    def _end_answered(self, command: NodeCommand, now_us: int, result: wire.Result) -> None:
        problem = _PROBLEMS.get(result.status, "")
        if command.kind in _DETAILED and problem and result.value in _DETAILS:
            problem = f"{problem}: {_DETAILS[result.value]}"
        in_use = None
        if command.kind is NodeCommandKind.CONFIGURE and result.data is not None:
            in_use = node_settings.decode(result.data)
        state = _STATES[result.status]
        self._end(command, now_us, state, problem, result.value, in_use)

    def _end_restarted(self, command: NodeCommand, now_us: int) -> None:
        if command.kind is NodeCommandKind.REBOOT:
            self._end(command, now_us, NodeCommandState.DONE, "the node has restarted")
        else:
            problem = "the node restarted before it answered"
            self._end(command, now_us, NodeCommandState.FAILED, problem)

    def _end(
        self,
        command: NodeCommand,
        now_us: int,
        state: NodeCommandState,
        problem: str,
        answer: int | None = None,
        in_use: dict[str, int] | None = None,
    ) -> None:
        ended = msgspec.structs.replace(
            command,
            state=state,
            ended_us=now_us,
            upto_message=self._messages(),
            answer=answer,
            answer_settings=in_use,
            problem=problem,
        )
        subject = f"node {command.node}"
        detail = {"settings": node_settings.shown(in_use)} if in_use else None
        action = f"command.{state.value}"
        self._audit.add(now_us, SYSTEM, action, subject, problem, detail=detail)
        del self._open[command.id]
        self._ended[command.id] = self._changed[command.id] = ended
        while len(self._ended) > KEPT:
            oldest = next(iter(self._ended))
            del self._ended[oldest]
            self._changed[oldest] = None

    def _put(self, command: NodeCommand) -> None:
        self._open[command.id] = self._changed[command.id] = command
