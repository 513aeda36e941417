# SPDX-License-Identifier: MIT
"""API: what the API needs of the gateway behind it; gateway.service provides it."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from gateway.api.schema.answers import ConnectorTest
from gateway.model.actions.acts import Act
from gateway.model.actions.cue import CueAct
from gateway.model.actions.node_command import NodeCommand, NodeCommandKind
from gateway.model.doubt import Doubt
from gateway.model.place.position import Position
from gateway.model.place.site import Site
from gateway.node_commands.lines import NodeLog
from gateway.node_commands.snippets import Waveform
from gateway.performance.monitored_time import WalkTest
from gateway.ports.picture import Picture
from gateway.store.reader import StoreReader
from gateway.tuning.report import Confirmation, TuningReport
from gateway.updates.rollout import Rollout


class ActResult(msgspec.Struct, frozen=True):
    """`done`: it was possible and is stored. Else `problem` is the reason, in one line."""

    done: bool
    problem: str = ""


class UpdateOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A release file on the gateway's machine, and how it is brought to the nodes."""

    file: str
    waves: tuple[str, ...]
    max_failures: int
    soak_s: int
    node_timeout_s: int


class ServiceFacade(Protocol):
    """Everything is called in the event loop. GroundwatchError is a problem for the caller."""

    @property
    def site(self) -> Site:
        """Nodes, sectors and origin as they are now."""

    @property
    def picture(self) -> Picture:
        """Everything that is true now."""

    @property
    def reader(self) -> StoreReader:
        """Reads of the store."""

    def clock_us(self) -> int:
        """Wall clock, UTC microseconds."""

    def record(self, by: str, action: str, reason: str = "") -> None:
        """An entry of the audit that nothing waits for: sign-ins and refused tokens."""

    def failed(self, part: str, error: Exception) -> None:
        """A fault of the API itself, for the log and an alarm."""

    async def act(self, act: Act | CueAct, key: str = "") -> ActResult:
        """Stored when this returns. A `key` that `act.by` has used before gives the same answer and
        acts once; empty: no key."""

    async def reload(self, by: str) -> list[str]:
        """What has changed. Raises ConfigError: then nothing has."""

    async def place_node(self, node: str, position: Position, sector: str, by: str) -> list[str]:
        """Write the position of a node to site.toml, and use it; what has changed. Raises
        ConfigError: then nothing has."""

    def doubts(self) -> list[Doubt]:
        """What a person must confirm: the clock or the store is not what it was."""

    async def confirm_doubt(self, name: str, by: str, reason: str) -> Doubt:
        """A person vouches for it; stored when this returns. Raises ConfigError."""

    async def measured(self, days: int) -> dict[str, Any]:
        """Measured performance of the last `days` days (gateway.performance). Raises ValueError,
        StoreError."""

    def walk_tests(self) -> list[WalkTest]:
        """Walk tests that were announced, oldest first."""

    async def test_connector(self, name: str, by: str) -> ConnectorTest:
        """Send a test notification. Raises ConfigError."""

    async def begin_update(self, order: UpdateOrder, by: str) -> Rollout:
        """Start to bring a release to nodes. Raises ConfigError."""

    async def stop_update(self, reason: str, by: str) -> Rollout:
        """End the update under way. Raises ConfigError when there is none."""

    def update(self) -> Rollout | None:
        """The newest update, under way or ended."""

    async def command_node(
        self,
        node: str,
        kind: NodeCommandKind,
        by: str,
        reason: str,
        minutes: int | None,
        value: int | None,
        settings: dict[str, int] | None = None,
    ) -> NodeCommand:
        """Order a command; it is stored when this returns. None for `minutes`: as the node's mode
        asks for. Raises ConfigError."""

    def node_commands(self, node: str) -> list[NodeCommand]:
        """Commands to a node, the newest first."""

    def node_command(self, number: int) -> NodeCommand | None:
        """One command."""

    async def waveform(self, command: NodeCommand) -> Waveform | None:
        """What the node sent in answer to a snippet command. Raises StoreError."""

    async def node_log(self, command: NodeCommand) -> NodeLog | None:
        """What the node sent in answer to a log command. Raises StoreError."""

    async def tuning(self, weeks: int) -> TuningReport:
        """Unwanted detections of each node and proposals for its threshold. Raises ConfigError,
        StoreError."""

    async def tune_node(self, node: str, given: Confirmation, by: str) -> NodeCommand:
        """Order what is proposed for a node. Raises ConfigError when it is not proposed now."""

    async def record_export(self, alarm_id: int, by: str, reason: str) -> None:
        """The audit's entry about an export is stored when this returns."""
