# SPDX-License-Identifier: MIT
"""Broker: one connection to the embedded broker: unknown until its CONNECT, then a node.

All of it runs in callbacks of the event loop: no task, no queue and no timer per message. A message
that cannot go on stops the reading of this connection, so the node sees a slow link and loses
nothing. Section numbers are those of MQTT 3.1.1.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NoReturn, Protocol, cast

from gateway.broker import packets
from gateway.broker.packets import Kind, PacketError, Publish
from gateway.ports.link import Arrival, Clock, Link, Offer
from gateway.wire.topics import MAX_PACKET

CONNECT_S = 5.0
INFLIGHT = 16  # messages of a node that are not committed yet; the next one waits
RATE_PER_S = 100  # packets; a node in its worst minute sends tens
BURST = 500
_SLOW_S = 0.1  # how long a node that is too fast is not read
_KEEPALIVE_S = (5, 300)  # what is granted; 0 (never) is taken as the longest
_MAX_UNSENT = 256 * 1024  # bytes that a slow reader leaves; beyond it downlinks are dropped
_PUBLISH = int(Kind.PUBLISH)
# Why a peer is not read on; plain bits, looked at for every packet.
_HELD = 1  # a message for which the gateway had no room
_FULL = 2  # the next message waits for an acknowledgement
_SLOW = 4  # too fast: waits for its timer
_UNREAD = 8  # it does not read what is sent to it
_ENDED = 16
_PINGRESP = packets.frame(Kind.PINGRESP)


class Host(Protocol):
    """What a peer needs from its broker."""

    def met(self, peer: Peer) -> None:
        """An unknown client has connected; another may be ended for it."""

    def welcome(self, peer: Peer, connect: packets.Connect) -> str:
        """Why this one may not come in; empty when it may, and is known by its user from now on."""

    def topics_of(self, user: str) -> tuple[str, str]:
        """(uplink, downlink) of a node."""

    counters: Counter[str]

    @property
    def offer(self) -> Offer:
        """The gateway's; when it returns False, the peer waits for `proceed`."""

    def wait_for_room(self, peer: Peer) -> None:
        """Call `proceed` soon."""

    def flush_soon(self, peer: Peer) -> None:
        """Call `flush` in this turn of the loop."""

    @property
    def clock(self) -> Clock:
        """UTC microseconds."""

    def count(self, reason: str) -> None:
        """One more of these."""

    def overstepped(self, peer: Peer) -> None:
        """A node that knows its password tried what is not its own."""

    def left(self, peer: Peer) -> None:
        """The connection is gone."""


class Peer(asyncio.BufferedProtocol):
    """`user` is empty until it is welcome. `subscribed`: downlinks may be sent."""

    __slots__ = (
        "_buffer",
        "_connecting",
        "_held",
        "_host",
        "_inflight",
        "_link",
        "_loop",
        "_out",
        "_prefix",
        "_reading",
        "_received_s",
        "_refilled_s",
        "_rest",
        "_silence_s",
        "_tokens",
        "_topic",
        "_transport",
        "_waits",
        "password",
        "subscribed",
        "user",
        "will",
    )

    def __init__(self, host: Host, link: Link, buffer: bytearray) -> None:
        """`buffer` is shared by all peers: it is empty between two callbacks."""
        self.user = ""
        self.password = ""
        self.will: Publish | None = None
        self.subscribed = False
        self._host = host
        self._link = link
        self._buffer = buffer
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._connecting: asyncio.TimerHandle | None = None
        self._rest = b""  # read and not parsed: a part of a packet, or what waits
        self._reading = True
        self._waits = 0
        self._held: Arrival | None = None
        self._inflight = 0
        self._tokens = float(BURST)
        self._out = bytearray()
        self._topic = ""
        self._prefix = b"\0"  # of the body of a PUBLISH on the node's own topic
        self._received_s = self._refilled_s = self._loop.time()
        self._silence_s = CONNECT_S

    # Connection

    @property
    def address(self) -> str:
        """Of the other end; empty when it is gone."""
        name = self._transport.get_extra_info("peername") if self._transport else None
        return str(name[0]) if name else ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The time for the CONNECT of an unknown client has passed."""
        self._transport = cast("asyncio.Transport", transport)
        self._connecting = self._loop.call_later(CONNECT_S, self._too_late)
        self._host.met(self)

    def get_buffer(self, _size: int) -> bytearray:
        """The shared one: what is read is taken out before anything else is."""
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        """Bytes from the peer."""
        data = bytes(memoryview(self._buffer)[:size])
        self._received_s = self._loop.time()
        self._rest = self._rest + data if self._rest else data
        self._parse()

    def connection_lost(self, _error: Exception | None) -> None:
        """The peer is gone; the Will is the broker's to publish."""
        self._transport = None
        self._rest = b""
        if self._connecting is not None:
            self._connecting.cancel()
        self._host.left(self)

    def pause_writing(self) -> None:
        """It does not read its acknowledgements: then nothing more is read of it."""
        self._waits |= _UNREAD

    def resume_writing(self) -> None:
        """It reads again."""
        self._waits &= ~_UNREAD
        self.proceed()

    def close(self) -> None:
        """At once, with the Will unless it was taken away."""
        if self._transport is not None:
            self._transport.abort()

    def sweep(self, now_s: float) -> bool:
        """False when the keep-alive has passed in silence (3.1.2.10)."""
        if self._waits & (_HELD | _FULL | _SLOW):  # we are the slow one
            self._received_s = now_s
        return now_s - self._received_s <= self._silence_s

    # Outward

    def send(self, data: bytes) -> bool:
        """A downlink; False when it cannot go out."""
        transport = self._transport
        if not self.subscribed or transport is None or self._waits & _ENDED:
            return False
        if transport.get_write_buffer_size() + len(self._out) > _MAX_UNSENT:
            return False
        self._write(data)
        return True

    def flush(self) -> None:
        """One write for all that was gathered."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(bytes(self._out))
        self._out.clear()

    def take_held(self) -> Arrival | None:
        """A message that waits for room, when the connection has ended."""
        held, self._held = self._held, None
        return held

    def proceed(self) -> bool:
        """Offer again what is held and go on; False when there still is no room."""
        if self._transport is None:
            return True
        if self._held is not None:
            if not self._host.offer(self._held):
                return False
            self._held = None
            self._waits &= ~_HELD
        self._parse()
        return True

    def _acknowledge(self, packet_id: int) -> None:
        """PUBACK (3.4): the message is safe."""
        self._inflight -= 1
        self._write(b"\x40\x02" + packet_id.to_bytes(2, "big"))
        if self._waits & _FULL:
            self._waits &= ~_FULL
            self._loop.call_soon(self.proceed)

    def _write(self, data: bytes) -> None:
        if self._transport is None:
            return
        if not self._out:
            self._host.flush_soon(self)
        self._out += data

    # Inward

    def _parse(self) -> None:
        """Whole packets (2.2), as long as nothing waits. Each costs a token of the peer's rate."""
        data, at, end = self._rest, 0, len(self._rest)
        now_s = self._loop.time()
        self._tokens = min(BURST, self._tokens + (now_s - self._refilled_s) * RATE_PER_S)
        self._refilled_s = now_s
        arrival_us = self._host.clock()
        messages = 0
        try:
            while end - at >= 2 and not self._waits:
                size, body = data[at + 1], at + 2
                if size & 0x80:
                    size, body = packets.remaining_length(data, at + 1)
                    if size < 0:
                        break  # the length is not all here
                if size > MAX_PACKET:
                    raise PacketError("packet too big")
                stop, first = body + size, data[at]
                if first >> 4 != _PUBLISH or not self.user:
                    kind = self._expected(first)
                    if stop > end:
                        break
                    self._on_packet(kind, data[body:stop])
                elif stop > end or not self._on_publish(first, data, body, stop, arrival_us):
                    break
                else:
                    messages += 1
                at = stop
                self._tokens -= 1
                if self._tokens < 0:
                    self._slow_down()
        except PacketError as error:
            self._host.count(str(error))
            self._end()
        if messages:
            self._host.counters["up"] += messages
        self._rest = b"" if self._waits & _ENDED else data[at:]
        self._read_on(not self._waits)

    def _read_on(self, wanted: bool) -> None:
        transport = self._transport
        if wanted is self._reading or transport is None or self._waits & _ENDED:
            return
        self._reading = wanted
        if wanted:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _on_publish(self, first: int, data: bytes, body: int, stop: int, arrival_us: int) -> bool:
        """3.3; False when the message has to wait where it is."""
        start = body + len(self._prefix)
        own = data.startswith(self._prefix, body)
        acknowledge: Callable[[], None] = acknowledge_nothing
        if own and first & 0xF7 == 0x32 and start + 2 <= stop:  # QoS 1, perhaps a duplicate
            packet_id = data[start] << 8 | data[start + 1]
            if not packet_id:
                raise PacketError("bad publish")
            if self._inflight >= INFLIGHT:
                self._waits |= _FULL
                return False
            self._inflight += 1
            acknowledge = partial(self._acknowledge, packet_id)
            start += 2
        elif not own or first != 0x30 or start > stop:
            self._refuse(first, data[body:stop])
        arrival = Arrival(arrival_us, self._topic, data[start:stop], self._link, acknowledge)
        if not self._host.offer(arrival):
            self._held = arrival
            self._waits |= _HELD
            self._host.wait_for_room(self)
        return True

    def _refuse(self, first: int, body: bytes) -> NoReturn:
        packets.parse_publish(first & 0x0F, body)  # raises when it is malformed
        self._host.overstepped(self)
        raise PacketError("publish on a foreign topic")

    def _expected(self, first: int) -> Kind:
        """From the first byte, before the rest is waited for. Raises PacketError."""
        kind = packets.kind_of(first)
        if not self.user and kind is not Kind.CONNECT:
            raise PacketError("no connect")
        return kind

    def _on_packet(self, kind: Kind, body: bytes) -> None:
        if not self.user:
            self._on_connect(body)
        elif kind is Kind.PUBACK:
            packets.parse_packet_id(body)  # downlinks go at QoS 0: nothing waits for it
        elif kind is Kind.SUBSCRIBE:
            self._on_subscribe(*packets.parse_subscribe(body))
        elif kind is Kind.UNSUBSCRIBE:
            self.subscribed = False
            packet_id = packets.parse_packet_id(body)
            self._write(packets.frame(Kind.UNSUBACK, packet_id.to_bytes(2, "big")))
        elif kind is Kind.PINGREQ:
            self._write(_PINGRESP)
        elif kind is Kind.DISCONNECT:
            self.will = None
            self._end()
        else:
            raise PacketError("unexpected packet")

    def _on_connect(self, body: bytes) -> None:
        """3.1."""
        try:
            connect = packets.parse_connect(body)
        except packets.ForeignProtocol:
            self._write(packets.frame(Kind.CONNACK, bytes((0, packets.BAD_PROTOCOL))))
            raise
        problem = self._host.welcome(self, connect)
        code = packets.NOT_AUTHORISED if problem else packets.ACCEPTED
        self._write(packets.frame(Kind.CONNACK, bytes((0, code))))
        if problem:
            raise PacketError(problem)
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        self.user, self.password = connect.username or "", connect.password or ""
        self.will = connect.will
        self._topic = self._host.topics_of(self.user)[0]
        name = self._topic.encode()
        self._prefix = len(name).to_bytes(2, "big") + name
        low, high = _KEEPALIVE_S
        self._silence_s = 1.5 * min(max(connect.keepalive_s or high, low), high)

    def _on_subscribe(self, packet_id: int, filters: list[tuple[str, int]]) -> None:
        """3.8: its own downlink and nothing else."""
        own = self._host.topics_of(self.user)[1]
        codes = bytearray(packet_id.to_bytes(2, "big"))
        for wanted, qos in filters:
            if wanted == own:
                self.subscribed = True
                codes.append(min(qos, 1))
            else:
                codes.append(packets.SUBSCRIPTION_REFUSED)
                self._host.count("subscribe on a foreign topic")
                self._host.overstepped(self)
        self._write(packets.frame(Kind.SUBACK, bytes(codes)))

    def _slow_down(self) -> None:
        """Without a token, the connection is not read for a while."""
        if not self._waits & _SLOW:
            self._waits |= _SLOW
            self._host.count("slowed down")
            self._loop.call_later(_SLOW_S, self._fast_enough)

    def _fast_enough(self) -> None:
        self._waits &= ~_SLOW
        self.proceed()

    def _too_late(self) -> None:
        self._host.count("no connect in time")
        self.close()

    def _end(self) -> None:
        """What was written goes out first (3.2.2.3)."""
        self._waits |= _ENDED
        self.flush()
        if self._transport is not None:
            self._transport.close()


def acknowledge_nothing() -> None:
    """A message of QoS 0 is not acknowledged."""
