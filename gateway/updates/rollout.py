# SPDX-License-Identifier: MIT
"""Updates: rollout of one release to a fleet in waves, until all are done or too many failed.

Pure: (state, input, now) -> (state, outputs). A node is done when it reports that it keeps the
new version after its trial; nothing else counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

# A command may be lost: it is sent again to a node that requests no chunks.
REPEAT_US = 60_000_000
S = 1_000_000


class Stage(Enum):
    """Where a node stands."""

    WAITING = "waiting"
    ORDERED = "ordered"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NodeUpdate:
    """The update of one node. `file` is the last one it requested, of `Rollout.files`; `contact_us`
    is its last request or the last command to it."""

    node: str
    wave: int
    stage: Stage = Stage.WAITING
    since_us: int = 0
    contact_us: int = 0
    file: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """`command` names it to nodes, `digest` (hex) is that of its release's manifest.

    The next wave starts `soak_s` after the end of the one before, while no more than
    `max_failures` nodes failed in all. A node must be done within `node_timeout_s`.
    """

    command: int
    digest: str
    version: str
    board: str
    files: int
    by: str
    nodes: tuple[NodeUpdate, ...]
    max_failures: int = 0
    soak_s: int = 60
    node_timeout_s: int = 3600
    wave: int = -1
    soaked_us: int = 0
    ended: str = ""

    @property
    def active(self) -> bool:
        """Still under way."""
        return not self.ended

    def node(self, name: str) -> NodeUpdate | None:
        """The update of one node; None when it has none."""
        return next((one for one in self.nodes if one.node == name), None)


@dataclass(frozen=True, slots=True)
class Begin:
    """Order the first wave. `current` are the nodes that run this version already."""

    current: frozenset[str]


@dataclass(frozen=True, slots=True)
class Hello:
    """A node has (re)connected and runs firmware `fw`."""

    node: str
    fw: str


@dataclass(frozen=True, slots=True)
class Requested:
    """A node requests a chunk."""

    node: str
    command: int
    file: int


@dataclass(frozen=True, slots=True)
class Reported:
    """The result of a node; `reason` is empty when it keeps the new version."""

    node: str
    command: int
    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A person ends it."""

    reason: str


Input = Begin | Hello | Requested | Reported | Tick | Stop


@dataclass(frozen=True, slots=True)
class Order:
    """Send the update command to a node."""

    node: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A node is done (no reason) or has failed."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class WaveBegins:
    """The nodes of one wave are ordered."""

    wave: int
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The rollout has ended; `how` states why."""

    how: str


Output = Order | Settled | WaveBegins | Ended
DONE = "done"


def plan(waves: Sequence[Sequence[str]]) -> tuple[NodeUpdate, ...]:
    """The updates of all nodes, by wave."""
    return tuple(NodeUpdate(node, wave) for wave, nodes in enumerate(waves) for node in nodes)


def step(rollout: Rollout, given: Input, now_us: int) -> tuple[Rollout, tuple[Output, ...]]:
    """What follows from one input; nothing does once it has ended."""
    if not rollout.active:
        return rollout, ()
    out: list[Output] = []
    match given:
        case Begin(current):
            for name in sorted(current):
                if (one := rollout.node(name)) is not None:
                    rollout = _settle(rollout, one, "", now_us, out)
        case Hello(node, fw) if (one := _ordered(rollout, node)) and fw != rollout.version:
            # On trial it reports the new version; then only its result counts.
            rollout = _put(rollout, replace(one, contact_us=now_us))
            out.append(Order(node))
        case Requested(node, command, file) if command == rollout.command:
            if one := _ordered(rollout, node):
                rollout = _put(rollout, replace(one, contact_us=now_us, file=file))
        case Reported(node, command, reason) if command == rollout.command:
            if one := _ordered(rollout, node):
                rollout = _settle(rollout, one, reason, now_us, out)
        case Stop(reason):
            return _end(rollout, f"stopped: {reason}", out)
        case Tick():
            rollout = _remind(rollout, now_us, out)
    return _go_on(rollout, now_us, out)


def _ordered(rollout: Rollout, name: str) -> NodeUpdate | None:
    one = rollout.node(name)
    return one if one is not None and one.stage is Stage.ORDERED else None


def _put(rollout: Rollout, changed: NodeUpdate) -> Rollout:
    nodes = tuple(changed if one.node == changed.node else one for one in rollout.nodes)
    return replace(rollout, nodes=nodes)


def _settle(
    rollout: Rollout, one: NodeUpdate, reason: str, now_us: int, out: list[Output]
) -> Rollout:
    stage = Stage.FAILED if reason else Stage.DONE
    out.append(Settled(one.node, reason))
    return _put(rollout, replace(one, stage=stage, since_us=now_us, reason=reason))


def _remind(rollout: Rollout, now_us: int, out: list[Output]) -> Rollout:
    for one in rollout.nodes:
        if one.stage is not Stage.ORDERED:
            continue
        if now_us - one.since_us > rollout.node_timeout_s * S:
            reason = f"not done in {rollout.node_timeout_s} s"
            rollout = _settle(rollout, one, reason, now_us, out)
        elif now_us - one.contact_us > REPEAT_US:
            rollout = _put(rollout, replace(one, contact_us=now_us))
            out.append(Order(one.node))
    return rollout


def _go_on(rollout: Rollout, now_us: int, out: list[Output]) -> tuple[Rollout, tuple[Output, ...]]:
    failed = [one.node for one in rollout.nodes if one.stage is Stage.FAILED]
    if len(failed) > rollout.max_failures:
        return _end(rollout, f"stopped by itself: {', '.join(failed)} failed", out)
    if any(one.stage is Stage.ORDERED for one in rollout.nodes):
        return rollout, tuple(out)
    waiting = [one for one in rollout.nodes if one.stage is Stage.WAITING]
    if not waiting:
        return _end(rollout, DONE, out)
    if not rollout.soaked_us:
        # No soak before the first wave.
        soaked_us = now_us + (rollout.soak_s * S if rollout.wave >= 0 else 0)
        rollout = replace(rollout, soaked_us=soaked_us)
    if now_us < rollout.soaked_us:
        return rollout, tuple(out)
    wave = min(one.wave for one in waiting)
    names = tuple(one.node for one in waiting if one.wave == wave)
    out.append(WaveBegins(wave, names))
    for one in waiting:
        if one.wave == wave:
            ordered = replace(one, stage=Stage.ORDERED, since_us=now_us, contact_us=now_us)
            rollout = _put(rollout, ordered)
            out.append(Order(one.node))
    return replace(rollout, wave=wave, soaked_us=0), tuple(out)


def _end(rollout: Rollout, how: str, out: list[Output]) -> tuple[Rollout, tuple[Output, ...]]:
    return replace(rollout, ended=how), (*out, Ended(how))
