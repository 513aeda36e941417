# SPDX-License-Identifier: MIT
"""Service: what `groundwatch node update` asks of the running gateway: begin, status, stop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.errors import ConfigError
from gateway.files import write_atomic
from gateway.service.service import Service
from gateway.updates import package
from gateway.updates.rollout import Rollout, plan
from gateway.updates.waves import waves_of

_KEPT = "update.gwr"  # the release of the rollout under way, for a gateway that starts again


class UpdateRequests:
    """Owns the release file in `folder`; `key` is None where the site has no release key."""

    def __init__(self, service: Service, folder: Path, key: bytes | None) -> None:
        self._service = service
        self._kept = folder / _KEPT
        self._key = None if key is None else Ed25519PublicKey.from_public_bytes(key)
        updates = service.stages.updates
        if updates.rollout is not None and updates.rollout.active and self._key is not None:
            try:
                updates.release = package.load(self._kept, self._key)
            except ConfigError:
                updates.release = None  # the rollout ends with that reason

    async def begin(
        self,
        file: Path,
        waves: Sequence[str],
        max_failures: int,
        soak_s: int,
        node_timeout_s: int,
        by: str,
    ) -> Rollout:
        """Start to bring the release in `file` to the nodes. Raises ConfigError."""
        if self._key is None:
            raise ConfigError('[gateway] release_key is missing, as in release_key = "release.pub"')
        release = await asyncio.to_thread(package.load, file, self._key)
        rollout = Rollout(
            command=0,
            digest=release.digest.hex(),
            version=release.version,
            board=release.board,
            files=len(release.contents),
            by=by,
            nodes=plan(waves_of(list(waves), self._nodes(release.board))),
            max_failures=max_failures,
            soak_s=soak_s,
            node_timeout_s=node_timeout_s,
        )
        if objection := self._service.stages.updates.objection(rollout, self._firmware()):
            raise ConfigError(objection)
        await asyncio.to_thread(_keep, file, self._kept)
        if not await self._service.begin_update(rollout, release):
            raise ConfigError("another update has just started")
        return self._newest()

    async def stop(self, reason: str, by: str) -> Rollout:
        """End the update under way. Raises ConfigError when there is none."""
        if not await self._service.stop_update(by, reason):
            raise ConfigError("there is no update under way")
        return self._newest()

    def _newest(self) -> Rollout:
        rollout = self._service.stages.updates.rollout
        assert rollout is not None
        return rollout

    def _firmware(self) -> dict[str, tuple[str, str]]:
        return self._service.stages.intake.registry.firmware()

    def _nodes(self, board: str) -> list[str]:
        """Nodes of the board as they report it, else as the site file names it; in file order."""
        views = self._service.stages.intake.registry.views
        nodes = [
            name
            for name, node in self._service.stages.site.nodes.items()
            if (views[name].board or node.board or board) == board
        ]
        if not nodes:
            raise ConfigError(f"the site has no {board}")
        return nodes


def _keep(source: Path, target: Path) -> None:
    """Copy so that after a power cut the old or the new one is whole."""
    try:
        write_atomic(target, source.read_bytes(), 0o644)
    except OSError as error:
        raise ConfigError(f"cannot store the release in {target}: {error.strerror}") from None
