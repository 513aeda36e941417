# SPDX-License-Identifier: MIT
"""Brokers: what the gateway needs from any of them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from gateway.mqtt.access import MqttAccess
from gateway.wire.topics import MAX_PACKET

GATEWAY_USER = "gateway"
# Node id -> the passwords it may come in with, the one given out last first.
Passwords = Mapping[str, tuple[str, ...]]


class Broker(ABC):
    """`async with` it; then host and port are set.

    `access` is how the gateway connects to it, None when arrivals come in process; `warnings` are
    lines for the operator; `counters` count what it refused, if the broker reports it.
    """

    access: MqttAccess | None = None

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.warnings: list[str] = []
        self.counters: Counter[str] = Counter()
        # Called with the user name of a client that is refused, and whether its password was right,
        # by a broker that knows.
        self.on_refused: Callable[[str, bool], None] = _ignore
        # Called with why a helper process of the broker fails; empty once it works again.
        self.on_state: Callable[[str], None] = _ignore_words
        # Called with a part and what happened to it, once.
        self.on_fault: Callable[[str, str], None] = _ignore_words

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def address(self) -> tuple[str, int]:
        """Where nodes connect to."""
        return self.host, self.port

    @abstractmethod
    async def start(self) -> None:
        """Listening when it returns. Raises BrokerError."""

    @abstractmethod
    async def stop(self) -> None:
        """Nothing of it is left when it returns."""

    async def set_passwords(self, passwords: Passwords) -> None:
        """From now on these, for a broker of the gateway; connections with others are ended."""
        return

    async def watch(self) -> None:
        """Until cancelled: keeps it running."""
        await asyncio.Event().wait()


def _ignore(_user: str, _knew_password: bool) -> None:
    """Until the gateway asks for it."""


def _ignore_words(*_words: str) -> None:
    """The same."""


__all__ = ["GATEWAY_USER", "MAX_PACKET", "Broker", "Passwords"]
