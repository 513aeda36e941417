# SPDX-License-Identifier: MIT
"""A session that is tried, and one that sends to it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from gateway.mqtt.session import MqttAccess, MqttSession, Will, take_nothing

UP = "groundwatch/v1/yard/+/up"
FROM = "groundwatch/v1/yard/n01/up"


@dataclass
class Taken:
    """What a session took; acknowledged at once unless `late`."""

    late: bool = False
    counters: Counter[str] = field(default_factory=Counter)
    messages: asyncio.Queue[tuple[str, bytes, int, bool]] = field(default_factory=asyncio.Queue)
    session: MqttSession | None = None

    def take(self, topic: str, payload: bytes, packet_id: int, retained: bool) -> None:
        self.messages.put_nowait((topic, payload, packet_id, retained))
        if not self.late and self.session is not None:
            self.session.acknowledge(packet_id)

    def on(self, access: MqttAccess, *topics: str, will: Will | None = None) -> MqttSession:
        self.session = MqttSession(access, topics or (UP,), self.take, self.counters, will)
        return self.session

    async def next(self) -> tuple[str, bytes, int, bool]:
        async with asyncio.timeout(5):
            return await self.messages.get()


@asynccontextmanager
async def opened(session: MqttSession) -> AsyncIterator[MqttSession]:
    await session.open()
    try:
        yield session
    finally:
        session.close()


def sender(access: MqttAccess, will: Will | None = None) -> MqttSession:
    other = replace(access, client_id="sender")
    return MqttSession(other, None, take_nothing, Counter(), will)
