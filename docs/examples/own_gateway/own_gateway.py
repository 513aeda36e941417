# SPDX-License-Identifier: MIT
"""A small gateway: it opens what nodes send, keeps their detections and sends receipts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import paho.mqtt.client as mqtt

from gateway import keys
from gateway.wire import codec, messages, seal, topics
from gateway.wire.errors import WireError

_BLOCK = 1_000_000


class OwnGateway:
    """`async with OwnGateway(site, node_keys, host, port, folder)`: `node_keys` by node id;
    `detections` by (node, boot, seq), oldest first; `refused` counts what did not open."""

    def __init__(
        self, site: str, node_keys: Mapping[str, bytes], host: str, port: int, folder: Path
    ) -> None:
        self.detections: dict[tuple[str, int, int], messages.Detection] = {}
        self.refused = 0
        self._site, self._address = site, (host, port)
        self._keys = {node: keys.derive(key) for node, key in node_keys.items()}
        self._seen: dict[tuple[str, int], set[int]] = {}  # seq by node and boot
        self._counter = reserve(folder / "counter")
        self._mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)

    async def __aenter__(self) -> OwnGateway:
        loop, subscribed = asyncio.get_running_loop(), asyncio.Event()
        self._mqtt.on_connect = lambda *_: self._mqtt.subscribe(topics.uplink_filter(self._site), 1)
        self._mqtt.on_subscribe = lambda *_: loop.call_soon_threadsafe(subscribed.set)
        self._mqtt.on_message = lambda _client, _data, one: loop.call_soon_threadsafe(
            self._arrived, one.topic, one.payload
        )
        await asyncio.to_thread(self._mqtt.connect, *self._address)
        self._mqtt.loop_start()
        await asyncio.wait_for(subscribed.wait(), 10)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._mqtt.disconnect()
        await asyncio.to_thread(self._mqtt.loop_stop)

    def _arrived(self, topic: str, sealed: bytes) -> None:
        node = topic.split("/")[-2]
        try:
            space, boot, seq, message = self._open(node, topic, sealed)
        except (KeyError, WireError):
            self.refused += 1
            return
        if isinstance(message, messages.Hello | messages.Health):
            now_ms = time.time_ns() // 1_000_000
            self._send(node, boot, messages.Time(utc_ms=now_ms, echo_ms=message.t_ms))
        if space != seal.DURABLE:
            return
        seen = self._seen.setdefault((node, boot), set())
        seen.add(seq)
        if isinstance(message, messages.Detection):
            self.detections[node, boot, seq] = message  # one that comes again is the same
        upto = next(number for number in range(1, 65537) if number not in seen) - 1
        if upto:
            self._send(node, boot, messages.Receipt(upto=(boot, upto)))

    def _open(self, node: str, topic: str, sealed: bytes) -> tuple[int, int, int, messages.Message]:
        now = self._keys[node]
        try:
            piv, payload = seal.open_sealed(now.up_key, now.up_iv, sealed, topic.encode())
        except WireError:  # once a day the node has taken the next key
            now = keys.next_epoch(now)
            piv, payload = seal.open_sealed(now.up_key, now.up_iv, sealed, topic.encode())
            self._keys[node] = now
        return *seal.parse_up_piv(piv), codec.decode_up(payload)

    def _send(self, node: str, boot: int, message: messages.Message) -> None:
        topic, now = topics.downlink_topic(self._site, node), self._keys[node]
        self._counter += 1
        piv, aad = seal.down_piv(self._counter), seal.down_aad(topic, boot)
        payload = codec.encode(message)
        self._mqtt.publish(topic, seal.seal(now.down_key, now.down_iv, piv, payload, aad))


def reserve(path: Path) -> int:
    """The first number of a block that no earlier run has used: none seals two messages."""
    first = int(path.read_text()) if path.exists() else 0
    path.write_text(str(first + _BLOCK))
    return first
