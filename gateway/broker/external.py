# SPDX-License-Identifier: MIT
"""Brokers: one that somebody else runs; we only know where it is and who we are to it."""

from __future__ import annotations

import asyncio

from gateway.broker.interface import Broker


class ExternalBroker(Broker):
    """Nothing to start; the link reconnects when it comes and goes."""

    persistent = True

    def __init__(self, host: str, port: int, username: str | None, password: str | None) -> None:
        super().__init__(host, port)
        self.username = username
        self.password = password

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""

    async def watch(self) -> None:
        """It is not ours to watch."""
        await asyncio.Event().wait()
