# SPDX-License-Identifier: MIT
"""Service: what `groundwatch node` asks of the running gateway: commands to nodes, waveforms."""

from __future__ import annotations

from gateway.errors import ConfigError
from gateway.model.actions.node_command import NodeCommand, NodeCommandKind
from gateway.model.node_settings import RADIO, SAMPLING
from gateway.model.place.site import SERIAL
from gateway.node_commands.lines import NodeLog, assemble_log
from gateway.node_commands.snippets import Waveform, assemble
from gateway.service.running.intake_stage import Work
from gateway.service.service import Service
from gateway.store.reader import StoreReader


class NodeRequests:
    """Commands are stored and audited before they are sent."""

    def __init__(self, service: Service, reader: StoreReader) -> None:
        self._service = service
        self._reader = reader

    async def order(
        self,
        node: str,
        kind: NodeCommandKind,
        by: str,
        reason: str,
        wait_us: int | None,
        value: int | None,
        settings: dict[str, int] | None,
    ) -> NodeCommand:
        """Stored when this returns; it expires after `wait_us`, or None: as the node's mode asks
        for. Raises ConfigError."""

        def work(now_us: int) -> Work:
            return Work((), self.begin(now_us, node, kind, by, reason, wait_us, value, settings))

        answer: NodeCommand | str = await self._service.intake_stage.request(work)
        if isinstance(answer, str):
            raise ConfigError(answer)
        return answer

    def begin(
        self,
        now_us: int,
        node: str,
        kind: NodeCommandKind,
        by: str,
        reason: str,
        wait_us: int | None,
        value: int | None,
        settings: dict[str, int] | None,
    ) -> NodeCommand | str:
        """Within a request to the first stage: the command, or in one line why there is none."""
        stages = self._service.stages
        if node not in stages.site.nodes:
            return f"there is no node {node[:32]!r}"
        needs_radio = settings and (settings.get(RADIO.name) or settings.get(SAMPLING.name))
        if needs_radio and stages.site.nodes[node].link == SERIAL:
            return f"{node} is on a wire: it has no radio that could be in bursts"
        commands = stages.node_commands
        wait_for_us = commands.wait_us(node) if wait_us is None else wait_us
        if objection := commands.objection(node, kind, wait_for_us):
            return objection
        command, down = commands.order(
            now_us, node, kind, by, reason, now_us + wait_for_us, value, settings
        )
        stages.down += down
        return command

    def of(self, node: str) -> list[NodeCommand]:
        """Commands to a node, the newest first."""
        return self._service.stages.node_commands.of(node)

    def find(self, number: int) -> NodeCommand | None:
        """One command."""
        return self._service.stages.node_commands.find(number)

    async def waveform(self, command: NodeCommand) -> Waveform | None:
        """What the node sent in answer to a snippet command. Raises StoreError."""
        upto = command.upto_message or self._service.stages.intake.messages
        rows = await self._reader.answers("snippet", command.node, command.after_message, upto)
        return assemble(rows, command.id)

    async def log(self, command: NodeCommand) -> NodeLog | None:
        """What the node sent in answer to a log command. Raises StoreError."""
        upto = command.upto_message or self._service.stages.intake.messages
        rows = await self._reader.answers("log", command.node, command.after_message, upto)
        return assemble_log(rows, command.id)
