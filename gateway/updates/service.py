# SPDX-License-Identifier: MIT
"""Updates: state of the rollout between steps: messages of nodes in, messages to nodes out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.alarms import NodeCondition
from gateway.model.actions.record import SYSTEM, Recorder
from gateway.model.alarm import AlarmKind
from gateway.store.interface import Snapshot, Writes
from gateway.updates import rollout as ro
from gateway.updates.package import Release
from gateway.updates.rollout import NodeUpdate, Rollout, Stage
from gateway.wire import messages as wire

# (board, version) by node, of those that have reported it.
Firmware = Mapping[str, tuple[str, str]]
_ROW = "update:rollout"
# Names in rollouts that earlier versions stored.
_RENAMED = {
    "failures_most": "max_failures",
    "heard_us": "contact_us",
    "patience_s": "node_timeout_s",
    "rested_us": "soaked_us",
}
# docs/wire.md section 7: what `value` of an update's result means.
_REASONS = {
    1: "the signature is not by its release key",
    2: "it has no release key",
    3: "the release is for another board",
    4: "the version is not newer than one it had",
    5: "command or manifest are malformed",
    6: "another update was under way",
    7: "a file differed from its hash",
    8: "its flash cannot be written",
    9: "it got no answer from the gateway",
    10: "the new version failed its self-test; the old one is back",
    11: "the release is compiled for another processor or MicroPython",
}
# Only data that was never released for this node can cause these.
_FORGED = frozenset({1, 3, 4, 5, 7})


@dataclass(slots=True)
class Effects:
    """What follows from a step: messages to nodes, and conditions for the alarm manager."""

    down: list[tuple[str, wire.DownMessage]] = field(default_factory=list)
    conditions: list[NodeCondition] = field(default_factory=list)


OF_UPDATES = (wire.Hello, wire.ChunkRequest, wire.Result)  # messages that an update waits for


class UpdateService:
    """One rollout at a time. `release` holds the files; the caller of `restore` sets it again."""

    def __init__(self, sectors: Mapping[str, str], audit: Recorder) -> None:
        self.rollout: Rollout | None = None
        self.release: Release | None = None
        self._sectors = dict(sectors)
        self._audit = audit
        self._saved: Rollout | None = None
        self._forged: set[str] = set()

    def set_sectors(self, sectors: Mapping[str, str]) -> None:
        """The site has more nodes."""
        self._sectors = dict(sectors)

    def objection(self, rollout: Rollout, firmware: Firmware) -> str:
        """Why this cannot begin now; empty when it can."""
        if self.rollout is not None and self.rollout.active:
            return "an update is under way; stop it first: groundwatch node update --stop"
        for one in rollout.nodes:
            board = firmware.get(one.node, ("", ""))[0]
            if board and board != rollout.board:
                return f"{one.node} is a {board}, the release is for {rollout.board}"
        return ""

    def begin(self, now_us: int, rollout: Rollout, release: Release, firmware: Firmware) -> Effects:
        """Start a rollout without an objection."""
        newest = self.rollout.command if self.rollout else 0
        command = max(newest + 1, now_us // ro.S & 0x7FFFFFFF)
        self.rollout = dataclasses.replace(rollout, command=command)
        self.release = release
        names = [one.node for one in rollout.nodes]
        current = {name for name in names if firmware.get(name, ("", ""))[1] == rollout.version}
        self._note(now_us, rollout.by, "update.begin", f"version {rollout.version}")
        return self._step(ro.Begin(frozenset(current)), now_us)

    def stop(self, now_us: int, by: str, reason: str) -> bool:
        """A person ends it; False when there is nothing to end."""
        if self.rollout is None or not self.rollout.active:
            return False
        self._note(now_us, by, "update.stop", f"version {self.rollout.version}", reason)
        self._step(ro.Stop(f"{by}: {reason}"), now_us)
        return True

    def process(self, node: str, message: wire.UpMessage, now_us: int) -> Effects:
        """A message of a node, authenticated and new."""
        match message:
            case wire.Hello():
                return self._step(ro.Hello(node, message.fw), now_us)
            case wire.ChunkRequest():
                effects = self._step(ro.Requested(node, message.command_id, message.file), now_us)
                effects.down += self._chunk(node, message)
                return effects
            case wire.Result():
                return self._step(
                    ro.Reported(node, message.command_id, self._reason(node, message)), now_us
                )
        return Effects()

    def tick(self, now_us: int) -> Effects:
        """Time passes."""
        return self._step(ro.Tick(), now_us)

    def collect(self, writes: Writes) -> None:
        """The row of the rollout, when it has changed."""
        if self.rollout is not self._saved and self.rollout is not None:
            writes.state[_ROW] = json.dumps(to_dict(self.rollout), separators=(",", ":"))
            self._saved = self.rollout

    def restore(self, snapshot: Snapshot) -> None:
        """Continue the rollout of an earlier run; without its release it stops."""
        if _ROW in snapshot.state:
            self.rollout = self._saved = from_dict(json.loads(snapshot.state[_ROW]))

    def _chunk(self, node: str, request: wire.ChunkRequest) -> list[tuple[str, wire.DownMessage]]:
        rollout, release = self.rollout, self.release
        if rollout is None or release is None or not rollout.active:
            return []
        one = rollout.node(node)
        if one is None or one.stage is not Stage.ORDERED or request.command_id != rollout.command:
            return []
        data = release.chunk(request.file, request.offset)
        if not data:
            return []
        chunk = wire.Chunk(
            command_id=request.command_id, file=request.file, offset=request.offset, data=data
        )
        return [(node, chunk)]

    def _reason(self, node: str, result: wire.Result) -> str:
        if result.status is wire.ResultStatus.OK:
            return ""
        value = result.value or 0
        if value in _FORGED:
            self._forged.add(node)
        why = _REASONS.get(value, f"status {result.status.label}")
        return f"{result.status.label}: {why}"

    def _step(self, given: ro.Input, now_us: int) -> Effects:
        effects = Effects()
        if self.rollout is None:
            return effects
        if self.release is None and self.rollout.active:
            given = ro.Stop("the release is not in the data folder any more")
        self.rollout, outputs = ro.step(self.rollout, given, now_us)
        for output in outputs:
            match output:
                case ro.Order(node):
                    effects.down.append((node, self._command()))
                case ro.WaveBegins(wave, nodes):
                    self._note(now_us, SYSTEM, "update.wave", f"wave {wave + 1}", ", ".join(nodes))
                case ro.Settled(node, reason):
                    self._note(now_us, SYSTEM, "update.node", f"node {node}", reason or ro.DONE)
                    if reason:
                        effects.conditions += self._conditions(node, reason)
                case ro.Ended(how):
                    self._note(now_us, SYSTEM, "update.end", f"version {self.rollout.version}", how)
        return effects

    def _command(self) -> wire.Command:
        assert self.rollout is not None
        assert self.release is not None
        return wire.Command(
            id=self.rollout.command, kind=wire.CommandKind.UPDATE, data=self.release.order
        )

    def _conditions(self, node: str, reason: str) -> list[NodeCondition]:
        """Active and cleared at once: the alarm stays until an operator acknowledges it."""
        kind = AlarmKind.FORGERY if node in self._forged else AlarmKind.NODE_FAULT
        self._forged.discard(node)
        words = f"{node} did not take the update: {reason}"
        assert self.rollout is not None
        detail = f"update {self.rollout.command}"  # another attempt is another alarm
        return [
            NodeCondition(kind, node, self._sectors[node], detail, active, words)
            for active in (True, False)
        ]

    def _note(self, now_us: int, actor: str, action: str, subject: str, reason: str = "") -> None:
        self._audit.add(now_us, actor, action, subject, reason)


def to_dict(rollout: Rollout) -> dict[str, Any]:
    """Plain values, for the store and the command line."""
    value = dataclasses.asdict(rollout)
    value["nodes"] = [{**node, "stage": node["stage"].value} for node in value["nodes"]]
    return value


def from_dict(value: dict[str, Any]) -> Rollout:
    """Inverse of `to_dict`, also of what earlier versions stored."""
    value = {_RENAMED.get(name, name): item for name, item in value.items()}
    nodes = tuple(_node_from_dict(node) for node in value["nodes"])
    return Rollout(**{**value, "nodes": nodes})


def _node_from_dict(value: dict[str, Any]) -> NodeUpdate:
    value = {_RENAMED.get(name, name): item for name, item in value.items()}
    return NodeUpdate(**{**value, "stage": Stage(value["stage"])})
