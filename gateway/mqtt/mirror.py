# SPDX-License-Identifier: MIT
"""MQTT: retained messages of ours on another broker, kept equal to what they should be.

A subscriber that comes late has them at once. A status topic is `online` while they are kept true,
and `offline` otherwise: by us at the end, by the Will after a crash.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Self

from gateway.mqtt.access import MqttAccess, Will
from gateway.mqtt.session import MqttSession

ONLINE, OFFLINE = b"online", b"offline"
MAX_UNACKED = 16  # deliveries that wait for the broker at once

# Topic, payload, whether it was retained.
Receive = Callable[[str, bytes, bool], None]


class Mirror:
    """`async with` one connection. Counts "sent" and "cleared"."""

    def __init__(
        self,
        access: MqttAccess,
        status_topic: str,
        filters: Sequence[str],
        receive: Receive,
        counters: Counter[str],
    ) -> None:
        self.sent: dict[str, bytes] = {}  # what the broker has acknowledged
        self._status = status_topic
        self._receive = receive
        self._counters = counters
        will = Will(status_topic, OFFLINE, 1, retain=True)
        self._session = MqttSession(access, filters, self._take, counters, will)

    async def __aenter__(self) -> Self:
        """Connected and subscribed. Raises OSError, TimeoutError."""
        try:
            await self._session.open()
        except BaseException:
            self._session.close()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        # DISCONNECT sends no Will.
        self._session.publish(self._status, OFFLINE, retain=True)
        self._session.close()

    async def online(self) -> None:
        """What is there is true now. Raises OSError."""
        await self.put({self._status: ONLINE})

    async def put(self, wanted: Mapping[str, bytes]) -> None:
        """Publish what differs; an empty payload takes a message back. Raises OSError."""
        changed = [
            (topic, payload)
            for topic, payload in wanted.items()
            if self.sent.get(topic, b"") != payload
        ]
        for start in range(0, len(changed), MAX_UNACKED):
            part = changed[start : start + MAX_UNACKED]
            await asyncio.gather(*(self._put(topic, payload) for topic, payload in part))

    async def clear(self, topics: Iterable[str]) -> None:
        """Clear these, also those of another client (MQTT 3.1.1, 3.3.1.3). Raises OSError."""
        for topic in topics:
            await self._put(topic, b"")

    async def closed(self) -> None:
        """Raises ConnectionError once the connection is gone."""
        await self._session.closed.wait()
        raise ConnectionResetError(self._session.problem)

    async def _put(self, topic: str, payload: bytes) -> None:
        await self._session.deliver(topic, payload, retain=True)
        if payload:
            self.sent[topic] = payload
        else:
            self.sent.pop(topic, None)
        self._counters["sent" if payload else "cleared"] += 1

    def _take(self, topic: str, payload: bytes, packet_id: int, retained: bool) -> None:
        self._receive(topic, payload, retained)
        if packet_id:  # or the broker holds back after twenty
            self._session.acknowledge(packet_id)
