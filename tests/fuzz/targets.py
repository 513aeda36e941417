# SPDX-License-Identifier: MIT
"""Everything that reads hostile bytes, as functions of bytes that return or raise a typed refusal.

`run(data)` chooses by the first byte. What escapes it is a bug.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from gateway.broker import packets
from gateway.enrolment import site_keys
from gateway.links.frames import FrameReader, decode_frame
from gateway.links.mqtt_client import MqttAccess, MqttClient
from gateway.service.stages import Stages
from gateway.site_file import load_site
from gateway.wire import cbor, codec, seal
from gateway.wire.errors import WireError
from gateway.wire.topics import uplink_topic
from tests.gateway.played_node import ROOT, SITE, PlayedNode, write_site

_EVERY = 1000  # inputs after which what the pipeline wants kept is thrown away, as after a commit
_NOW_US = 1_790_000_000_000_000
NODE = PlayedNode("n01")


def read_cbor(data: bytes) -> None:
    try:
        cbor.loads(data, 2)
    except WireError:
        pass


def decode(data: bytes) -> None:
    try:
        message = codec.decode(data)
    except WireError:
        return
    assert codec.encode(message) == data  # one message has one encoding


def open_seal(data: bytes) -> None:
    try:
        piv, _payload = seal.open_sealed(NODE.keys.up_key, NODE.keys.up_iv, data, NODE.up.encode())
        seal.parse_up_piv(piv)
    except WireError:
        pass


def frame(data: bytes) -> None:
    try:
        decode_frame(data)
    except ValueError as error:
        assert type(error) is ValueError


def line(data: bytes) -> None:
    """A serial line in two pieces, then a good frame: the reader has found its feet again."""
    counters: Counter[str] = Counter()
    reader = FrameReader(counters)
    cut = len(data) // 2
    list(reader.feed(data[:cut]))
    list(reader.feed(data[cut:] + b"\0"))
    assert set(counters) <= {"bad_crc", "bad_frame", "bad_cobs", "frame_too_long", "console_text"}


def broker_packet(data: bytes) -> None:
    """What a node's connection to the embedded broker may say."""
    readers: tuple[Callable[[], object], ...] = (
        lambda: packets.parse_connect(data),
        lambda: packets.parse_publish(data[0] & 0x0F if data else 0, data),
        lambda: packets.parse_subscribe(data),
        lambda: packets.parse_packet_id(data),
    )
    for reader in readers:
        try:
            reader()
        except packets.PacketError:
            pass


class _Wire(asyncio.Transport):
    """Takes what a client says."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        pass

    def close(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class _Gateway:
    """The whole way in behind the links, and a client's ears, on a loop that runs when asked."""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            write_site(Path(name))
            site = load_site(Path(name) / "site.toml")
        self.pipeline = Stages(site, site_keys(site, ROOT))
        self.loop = asyncio.new_event_loop()
        self._count = 0
        self._seq = 0

    def uplink(self, topic: str, data: bytes) -> None:
        self.pipeline.uplink(_NOW_US + self._count, topic, data)
        self._count += 1
        if self._count % _EVERY == 0:
            self.pipeline.take_writes()
            self.pipeline.committed()
        # What raises is rolled back and noted, and the gateway goes on: here it is a finding.
        assert self.pipeline.intake.failures == self.pipeline.monitor.failures == 0

    def sealed(self, payload: bytes) -> None:
        """A node that is stolen: the seal is right, what is in it is not."""
        self._seq = self._seq % 0xFFFE + 1
        lane = self._seq % 2
        counter = b"\0\1" + self._seq.to_bytes(2, "big")
        piv = counter if lane == 0 else b"\1" + counter
        keys, aad = NODE.keys, NODE.up.encode()
        self.uplink(NODE.up, seal.seal(keys.up_key, keys.up_iv, piv, payload[:1500], aad))

    def client(self, data: bytes) -> None:
        """A hostile broker."""
        self.loop.run_until_complete(self._hear(data))

    async def _hear(self, data: bytes) -> None:
        access = MqttAccess("127.0.0.1", 1, None, None, "fuzz", False)
        client = MqttClient(access, "a/+/up", lambda _t, _p, _id: None, Counter())
        client.connection_made(cast("Any", _Wire()))
        for at in range(0, len(data), 7):
            client.data_received(data[at : at + 7])
            assert len(client._rest) <= 70_000
        client.close()


_GATEWAY = _Gateway()


def topic(data: bytes) -> None:
    """Any topic, any bytes."""
    name, _, payload = data.partition(b"|")
    _GATEWAY.uplink(name.decode("utf-8", "replace"), payload)


def uplink(data: bytes) -> None:
    _GATEWAY.uplink(uplink_topic(SITE, "n01"), data)


TARGETS: tuple[Callable[[bytes], None], ...] = (
    decode,
    read_cbor,
    open_seal,
    _GATEWAY.sealed,
    uplink,
    topic,
    frame,
    line,
    broker_packet,
    _GATEWAY.client,
)


def run(data: bytes) -> None:
    """One input: its first byte chooses who reads the others."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])
