# SPDX-License-Identifier: MIT
"""Brokers: what the gateway needs from any of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

# A sealed message of 1536 bytes, its topic and the MQTT header.
MAX_PACKET = 2048
GATEWAY_USER = "gateway"
# Node id -> the passwords it may come in with, the one given out last first.
Passwords = Mapping[str, tuple[str, ...]]


class Broker(ABC):
    """`async with` it; then host, port and the gateway's own credentials are set.

    `persistent` says that it keeps a session of ours while we are away; `warnings` are lines for
    the operator; `counters` what it refused, where it can tell.
    """

    persistent = False

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.username: str | None = None
        self.password: str | None = None
        self.warnings: list[str] = []
        self.counters: Counter[str] = Counter()
        # Called with the user name of who is turned away, and whether the password was right, by a
        # broker that can tell.
        self.on_refused: Callable[[str, bool], None] = _nobody_listens

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
        """From now on these, where the broker is ours; who came in with another is put out."""
        return

    async def watch(self) -> None:
        """Returns only when it ended by itself, which is an error."""
        return


def _nobody_listens(_user: str, _knew_password: bool) -> None:
    """Until the gateway wants to know."""
