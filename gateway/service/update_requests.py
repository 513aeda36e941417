# SPDX-License-Identifier: MIT
"""Service: what `groundwatch update` asks of the running gateway: begin, status, stop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.errors import ConfigError
from gateway.files import write_atomic
from gateway.service.service import Service
from gateway.updates import package
from gateway.updates.desk import to_dict
from gateway.updates.rollout import Rollout, plan
from gateway.updates.waves import waves_of

_KEPT = "update.gwr"  # the release of the rollout under way, for a gateway that starts again
_WORDS_MOST = 64
_REASON_MOST = 200


class UpdateOrders:
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
                updates.release = None  # the rollout says so and ends

    async def answer(self, request: dict[str, Any], person: str) -> dict[str, Any]:
        """One request of a person on this machine. Raises ConfigError."""
        match request.get("act"):
            case "begin":
                await self._begin(request, person)
            case "stop":
                await self._stop(request, person)
            case "status":
                pass
            case _:
                raise ConfigError("the request has no act that is known")
        rollout = self._service.stages.updates.rollout
        return {"rollout": None if rollout is None else to_dict(rollout)}

    async def _begin(self, request: dict[str, Any], person: str) -> None:
        if self._key is None:
            raise ConfigError('[gateway] release_key is missing, as in release_key = "release.pub"')
        path = Path(_text(request, "file", 4096))
        release = await asyncio.to_thread(package.load, path, self._key)
        words = request.get("waves")
        if not isinstance(words, list) or not 1 <= len(words) <= _WORDS_MOST:
            raise ConfigError("the waves must be a list of words")
        if not all(isinstance(word, str) and len(word) <= 4096 for word in words):
            raise ConfigError("the waves must be a list of words")
        rollout = Rollout(
            command=0,
            digest=release.digest.hex(),
            version=release.version,
            board=release.board,
            files=len(release.contents),
            by=person,
            nodes=plan(waves_of(words, self._nodes(release.board))),
            failures_most=_count(request, "failures_most", 1000),
            soak_s=_count(request, "soak_s", 7 * 24 * 3600),
            patience_s=_count(request, "patience_s", 30 * 24 * 3600),
        )
        if objection := self._service.stages.updates.objection(rollout, self._firmware()):
            raise ConfigError(objection)
        await asyncio.to_thread(_keep, path, self._kept)
        if not await self._service.begin_update(rollout, release):
            raise ConfigError("another update has just begun")

    def _firmware(self) -> dict[str, tuple[str, str]]:
        return self._service.stages.intake.registry.firmware()

    def _nodes(self, board: str) -> list[str]:
        """Nodes of the board, as the site's file or they themselves say it, in the file's order."""
        views = self._service.stages.intake.registry.views
        nodes = [
            name
            for name, node in self._service.stages.site.nodes.items()
            if (views[name].board or node.board or board) == board
        ]
        if not nodes:
            raise ConfigError(f"the site has no {board}")
        return nodes

    async def _stop(self, request: dict[str, Any], person: str) -> None:
        reason = _text(request, "reason", _REASON_MOST)
        if not await self._service.stop_update(person, reason):
            raise ConfigError("there is no update under way")


def _text(request: dict[str, Any], name: str, most: int) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= most or not value.isprintable():
        raise ConfigError(f"{name} must be a text of 1 to {most} characters")
    return value


def _count(request: dict[str, Any], name: str, most: int) -> int:
    value = request.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise ConfigError(f"{name} must be a whole number of 0 to {most}")
    return value


def _keep(source: Path, target: Path) -> None:
    """Copy so that after a power cut the old or the new one is whole."""
    try:
        write_atomic(target, source.read_bytes(), 0o644)
    except OSError as error:
        raise ConfigError(f"cannot keep the release in {target}: {error.strerror}") from None
