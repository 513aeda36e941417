# SPDX-License-Identifier: MIT
"""Everything that reads hostile bytes, as functions of bytes that return or raise a typed refusal.

`run(data)` chooses by the first byte. An error that escapes is a bug.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from gateway.broker import packets
from gateway.broker.embedded import EmbeddedBroker
from gateway.broker.peer import Peer
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.links.frames import FrameReader, decode_frame
from gateway.mqtt.session import MqttAccess, MqttSession, take_nothing
from gateway.service.stages import Stages
from gateway.wire import cbor, codec, seal
from gateway.wire.errors import WireError
from gateway.wire.topics import uplink_topic
from tests.gateway.played_node import ROOT, SITE, PlayedNode, write_site

_EVERY = 1000  # inputs after which pending writes of the pipeline are dropped, as after a commit
_NOW_US = 1_790_000_000_000_000
NODE = PlayedNode("n01")
_CONNECT = packets.frame(packets.Kind.CONNECT, b"\0\4MQTT\4\xc2\0\x1e\0\3n01\0\3n01\0\3one")


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
    """A serial line in two pieces, then a good frame: the reader is synchronised again."""
    counters: Counter[str] = Counter()
    reader = FrameReader(counters)
    cut = len(data) // 2
    list(reader.feed(data[:cut]))
    list(reader.feed(data[cut:] + b"\0"))
    assert set(counters) <= {"bad_crc", "bad_frame", "bad_cobs", "frame_too_long", "console_text"}


def broker_packet(data: bytes) -> None:
    """Packets that a node may send to the embedded broker."""
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


class _Gateway:
    """Intake behind the links, and both ends of MQTT, on a loop that runs on request."""

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
        # The gateway rolls an error back and logs it; here it is a finding.
        assert not self.pipeline.faults.counts
        assert self.pipeline.monitor.failures == 0

    def sealed(self, payload: bytes) -> None:
        """A stolen node: the seal is valid, the content is hostile."""
        self._seq = self._seq % 0xFFFE + 1
        space = self._seq % 2
        counter = b"\0\1" + self._seq.to_bytes(2, "big")
        piv = counter if space == 0 else b"\1" + counter
        keys, aad = NODE.keys, NODE.up.encode()
        self.uplink(NODE.up, seal.seal(keys.up_key, keys.up_iv, piv, payload[:1500], aad))

    def session(self, data: bytes) -> None:
        """A hostile broker, and our session with it on a real socket."""
        self.loop.run_until_complete(self._receive(data))

    async def _receive(self, data: bytes) -> None:
        access = MqttAccess("127.0.0.1", 1, None, None, "fuzz", False)
        session = MqttSession(access, ["a/+/up"], take_nothing, Counter())
        ours, theirs = socket.socketpair()
        with theirs:
            session._client.connected = ours
            session._client.connect("127.0.0.1", 1)
            session._attach()
            for at in range(0, len(data), 4096):
                if session.closed.is_set():
                    break
                theirs.sendall(data[at : at + 4096])
                session._on_readable()
                assert session._stream is None or len(session._stream._rest) <= 70_000
            session.close()

    def node(self, data: bytes) -> None:
        """A hostile node with its password, on a real connection to the embedded broker."""
        self.loop.run_until_complete(self._serve(data))

    async def _serve(self, data: bytes) -> None:
        broker = EmbeddedBroker("", 0, SITE, {"n01": ("one",)}, lambda _arrival: True, lambda: 0)
        buffer = bytearray(8192)
        peer = Peer(broker, broker, buffer)
        ours, theirs = socket.socketpair()
        with theirs:
            transport, _ = await self.loop.create_connection(lambda: peer, sock=ours)
            for part in (_CONNECT, data[: len(data) // 2], data[len(data) // 2 :]):
                buffer[: len(part[:8192])] = part[:8192]
                peer.buffer_updated(len(part[:8192]))
            transport.abort()
            await asyncio.sleep(0)  # connection_lost
        assert peer not in broker._peers


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
    _GATEWAY.node,
    _GATEWAY.session,
)


def run(data: bytes) -> None:
    """One input: its first byte selects the reader of the others."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])
