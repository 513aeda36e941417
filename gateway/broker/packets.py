# SPDX-License-Identifier: MIT
"""Brokers: the MQTT 3.1.1 packets that nodes and gateway use, strictly read, nothing else.

Section numbers are those of the OASIS standard.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import IntEnum


class PacketError(ValueError):
    """A packet that is not one of ours; the connection ends."""


class ForeignProtocol(PacketError):
    """A CONNECT of another protocol or level; it is owed an answer (3.1.2.2)."""


class Kind(IntEnum):
    """Table 2.1; QoS 2 is not offered."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


ACCEPTED, BAD_PROTOCOL, NOT_AUTHORISED = 0, 1, 5  # 3.2.2.3
SUBSCRIPTION_REFUSED = 0x80  # 3.9.3
_FLAGS = {Kind.SUBSCRIBE: 2, Kind.UNSUBSCRIBE: 2}  # 2.2.2; PUBLISH has its own


@dataclass(frozen=True, slots=True)
class Publish:
    """3.3. `packet_id` is 0 at QoS 0."""

    topic: str
    payload: bytes
    qos: int
    packet_id: int = 0
    retain: bool = False

    def encode(self, packet_id: int, duplicate: bool = False) -> bytes:
        """Bytes to send under another packet id."""
        name = self.topic.encode()
        body = len(name).to_bytes(2, "big") + name
        if self.qos:
            body += packet_id.to_bytes(2, "big")
        flags = self.qos << 1 | duplicate << 3 | self.retain
        return frame(Kind.PUBLISH, body + self.payload, flags)


@dataclass(frozen=True, slots=True)
class Connect:
    """3.1."""

    client_id: str
    clean: bool
    keepalive_s: int
    username: str | None
    password: str | None = field(repr=False)
    will: Publish | None


def frame(kind: Kind, body: bytes = b"", flags: int | None = None) -> bytes:
    """2.2: fixed header and body."""
    first = kind << 4 | (_FLAGS.get(kind, 0) if flags is None else flags)
    length, size = bytearray(), len(body)
    while True:
        length.append(size & 0x7F | (0x80 if size > 0x7F else 0))
        size >>= 7
        if not size:
            return bytes((first,)) + bytes(length) + body


def remaining_length(data: bytes, at: int) -> tuple[int, int]:
    """2.2.3 at `at`: (length, where the body starts); (-1, ...) when not all of it is here."""
    size = shift = 0
    for byte in data[at : at + 4]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return size, at + shift // 7
    if shift == 28:
        raise PacketError("bad length")
    return -1, at


def kind_of(first: int) -> Kind:
    """From the first byte of a packet. Raises PacketError, for wrong flags too (2.2.2)."""
    try:
        kind = Kind(first >> 4)
    except ValueError:
        raise PacketError("unknown packet") from None
    if kind is not Kind.PUBLISH and first & 0x0F != _FLAGS.get(kind, 0):
        raise PacketError("bad flags")
    return kind


async def read_packet(reader: asyncio.StreamReader, limit: int) -> tuple[Kind, int, bytes]:
    """(kind, flags, body). Raises PacketError, and IncompleteReadError at the end of the stream."""
    first = (await reader.readexactly(1))[0]
    head = b""
    size = -1
    while size < 0:
        head += await reader.readexactly(1)
        size, _ = remaining_length(head, 0)
    if size > limit:
        raise PacketError("packet too big")
    kind, flags = kind_of(first), first & 0x0F
    return kind, flags, await reader.readexactly(size)


class Body:
    """Reads the fields of a packet; everything must be taken."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """So many bytes."""
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise PacketError("packet ends early")
        self._at += size
        return part

    def number(self, size: int = 2) -> int:
        """Big-endian."""
        return int.from_bytes(self.take(size), "big")

    def binary(self) -> bytes:
        """Length-prefixed bytes."""
        return self.take(self.number())

    def text(self) -> str:
        """1.5.3."""
        try:
            value = self.binary().decode("utf-8")
        except UnicodeDecodeError:
            raise PacketError("bad text") from None
        if "\0" in value:
            raise PacketError("bad text")
        return value

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self._at)

    def more(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._data)

    def done(self) -> None:
        """Nothing may be left."""
        if self.more():
            raise PacketError("trailing bytes")


def parse_connect(data: bytes) -> Connect:
    """3.1.2, 3.1.3."""
    body = Body(data)
    if body.text() != "MQTT" or body.number(1) != 4:
        raise ForeignProtocol("not MQTT 3.1.1")
    flags = body.number(1)
    keepalive_s = body.number()
    client_id = body.text()
    will = None
    if flags & 0x04:
        topic, payload = body.text(), body.binary()
        will = Publish(topic, payload, flags >> 3 & 3, retain=bool(flags & 0x20))
    username = body.text() if flags & 0x80 else None
    password = body.text() if flags & 0x40 else None
    body.done()
    if flags & 1 or (will is None and flags & 0x38) or (will and will.qos > 1):
        raise PacketError("bad connect flags")
    return Connect(client_id, bool(flags & 0x02), keepalive_s, username, password, will)


def parse_publish(flags: int, data: bytes) -> Publish:
    """3.3."""
    body = Body(data)
    qos = flags >> 1 & 3
    topic = body.text()
    packet_id = body.number() if qos else 0
    if qos > 1 or (qos and not packet_id) or not topic or "+" in topic or "#" in topic:
        raise PacketError("bad publish")
    return Publish(topic, body.rest(), qos, packet_id, bool(flags & 1))


def parse_subscribe(data: bytes) -> tuple[int, list[tuple[str, int]]]:
    """3.8: packet id, filters with the QoS asked for."""
    body = Body(data)
    packet_id = body.number()
    filters = []
    while body.more():
        filters.append((body.text(), body.number(1)))
    if not packet_id or not filters or any(qos > 2 for _filter, qos in filters):
        raise PacketError("bad subscribe")
    return packet_id, filters


def parse_packet_id(data: bytes) -> int:
    """Start of a PUBACK and of an UNSUBSCRIBE."""
    return Body(data).number()
