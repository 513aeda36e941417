# SPDX-License-Identifier: MIT
"""Links: an MQTT 3.1.1 client on one connection, acknowledging by hand.

Own code because every uplink of a site passes here: the clients there are cost as much per message
as all the rest of its way to the disk (docs/adr/0013). Section numbers are those of the OASIS
standard; nothing here reconnects.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from gateway.broker.interface import MAX_PACKET
from gateway.broker.packets import Kind, Publish, frame

KEEPALIVE_S = 30
CONNECT_S = 10.0
_BUFFER_MOST = 256 * 1024  # unsent bytes of a broker that does not read; beyond it nothing is taken
_IDS = 0xFFFF
_SUBSCRIBE_ID = 1

# Topic, payload, packet id (0 at QoS 0).
Take = Callable[[str, bytes, int], None]


class BrokerRefused(ConnectionError):
    """CONNACK (3.2) with a return code other than 0."""

    def __init__(self, code: int) -> None:
        super().__init__(f"broker refused us with code {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class MqttAccess:
    """Where the broker is and who we are to it. A persistent session keeps what comes meanwhile."""

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    client_id: str
    persistent: bool
    tls: ssl.SSLContext | None = field(default=None, repr=False)


class MqttClient(asyncio.Protocol):
    """`await open()`, then messages come to `take` until `closed` is set; `problem` says why."""

    def __init__(
        self,
        access: MqttAccess,
        topics: str | None,
        take: Take,
        counters: Counter[str],
        will: Publish | None = None,
    ) -> None:
        self.closed = asyncio.Event()
        self.problem = ""
        self._access = access
        self._topics = topics
        self._take = take
        self._counters = counters
        self._will = will
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        # An attempt that nobody waits for any more may fail in silence.
        self._ready.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._skip = 0  # bytes still to come of a packet that is too big
        self._paused = False
        self._out = bytearray()
        self._alive: asyncio.TimerHandle | None = None
        self._heard = True
        self._unacked: dict[int, asyncio.Future[None]] = {}
        self._last_id = _SUBSCRIBE_ID

    async def open(self) -> None:
        """Connected and subscribed when it returns. Raises OSError or TimeoutError."""
        access = self._access
        async with asyncio.timeout(CONNECT_S):
            try:
                await self._loop.create_connection(
                    lambda: self, access.host, access.port, ssl=access.tls
                )
            except ConnectionResetError as error:  # in the middle of the TLS handshake
                raise ConnectionAbortedError(str(error)) from None
            await self._ready

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> bool:
        """At QoS 0; False when the broker is away or slow."""
        if self._full():
            return False
        self._write(Publish(topic, payload, 0, retain=retain).encode(0))
        return True

    async def deliver(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """At QoS 1: the broker has it when this returns. Raises OSError."""
        if self._full():
            raise OSError("the broker takes nothing now")
        packet_id = self._next_id()
        done = self._unacked[packet_id] = self._loop.create_future()
        self._write(Publish(topic, payload, 1, retain=retain).encode(packet_id))
        try:
            await done
        finally:
            self._unacked.pop(packet_id, None)

    def acknowledge(self, packet_id: int) -> None:
        """PUBACK (3.4); nothing once the connection is gone: the message comes again."""
        self._write(b"\x40\x02" + packet_id.to_bytes(2, "big"))

    def pause(self) -> None:
        """Take nothing for now, not even of what was read; the broker feels it."""
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on where `pause` stopped."""
        if self._paused and self._transport is not None:
            self._paused = False
            self._parse()
            if not self._paused and not self.closed.is_set():
                self._transport.resume_reading()

    def close(self) -> None:
        """Say goodbye if that can be done at once, and let go of the socket."""
        if self._alive is not None:
            self._alive.cancel()
        if self._transport is not None and not self.closed.is_set():
            self._write(frame(Kind.DISCONNECT))
            self._flush()
            self._transport.close()
        self._fail("closed by us")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """3.1: who we are."""
        self._transport = cast("asyncio.Transport", transport)
        access, will = self._access, self._will
        flags = 0 if access.persistent else 0x02
        fields = [access.client_id.encode()]
        if will is not None:
            flags |= 0x04 | will.qos << 3 | will.retain << 5
            fields += [will.topic.encode(), will.payload]
        if access.username is not None:
            flags |= 0x80
            fields.append(access.username.encode())
        if access.password is not None:
            flags |= 0x40
            fields.append(access.password.encode())
        head = _string(b"MQTT") + bytes((4, flags)) + KEEPALIVE_S.to_bytes(2, "big")
        self._write(frame(Kind.CONNECT, head + b"".join(map(_string, fields))))
        self._alive = self._loop.call_later(KEEPALIVE_S / 2, self._keep_alive)

    def data_received(self, data: bytes) -> None:
        """Bytes from the broker."""
        self._heard = True
        self._rest = self._rest + data if self._rest else data
        self._parse()

    def connection_lost(self, error: Exception | None) -> None:
        """The broker is gone."""
        self._fail(f"connection closed: {error}" if error else "connection closed", error)

    def _parse(self) -> None:
        """2.2: whole packets; what is left waits for more."""
        data, at = self._rest, 0
        if self._skip:
            at = min(self._skip, len(data))
            self._skip -= at
        end = len(data)
        while end - at >= 2 and not self._paused:
            size, body = data[at + 1], at + 2
            if size & 0x80:
                size &= 0x7F
                for shift in (7, 14, 21):
                    if body >= end:
                        break
                    size |= (data[body] & 0x7F) << shift
                    body += 1
                    if not data[body - 1] & 0x80:
                        break
                if data[body - 1] & 0x80:
                    if body - at > 4:
                        self._break_off("bad length")
                        return
                    break  # the length is not all here
            stop = body + size
            if size > MAX_PACKET:
                # Never a node's; let it pass, or whoever sends it would keep us from the others.
                if not self._pass_over(data, at, body, end):
                    break
                self._skip = max(0, stop - end)
                at = min(stop, end)
                continue
            if stop > end:
                break
            if data[at] >> 4 == 3:  # PUBLISH
                self._on_publish(data, data[at] >> 1 & 3, body, stop)
            else:
                self._on_answer(data[at] >> 4, data[body:stop])
            if self.closed.is_set():
                return
            at = stop
        self._rest = data[at:]

    def _on_publish(self, data: bytes, qos: int, body: int, stop: int) -> None:
        """3.3."""
        start = body + 2 + (data[body] << 8 | data[body + 1]) if stop - body >= 2 else stop + 1
        payload_at = start + 2 if qos else start
        if payload_at > stop or qos > 1:
            self._break_off("bad publish")
            return
        packet_id = data[start] << 8 | data[start + 1] if qos else 0
        try:
            topic = str(data[body + 2 : start], "utf-8")
        except UnicodeDecodeError:
            topic = ""  # the door refuses and counts it
        self._take(topic, data[payload_at:stop], packet_id)

    def _pass_over(self, data: bytes, at: int, body: int, end: int) -> bool:
        """Acknowledge a PUBLISH that is too big; False as long as its head is not all here."""
        if end - body < 2:
            return False
        start = body + 2 + (data[body] << 8 | data[body + 1])
        if end < start + 2:
            return False
        self._counters["too_big"] += 1
        if data[at] >> 4 == 3 and data[at] >> 1 & 3:
            self.acknowledge(data[start] << 8 | data[start + 1])
        return True

    def _on_answer(self, kind: int, body: bytes) -> None:
        if kind == Kind.CONNACK and len(body) == 2:
            if body[1]:
                self._break_off(BrokerRefused(body[1]))
            elif self._topics is None:
                self._begin()
            else:
                wanted = _SUBSCRIBE_ID.to_bytes(2, "big") + _string(self._topics.encode()) + b"\1"
                self._write(frame(Kind.SUBSCRIBE, wanted))
        elif kind == Kind.SUBACK and len(body) == 3:
            if body[2] > 2:
                self._break_off(f"broker refused the subscription to {self._topics}")
            else:
                self._begin()
        elif kind == Kind.PUBACK and len(body) == 2:
            done = self._unacked.get(int.from_bytes(body, "big"))
            if done is not None and not done.done():
                done.set_result(None)
        elif kind != Kind.PINGRESP:
            self._break_off("unexpected packet")

    def _begin(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    def _keep_alive(self) -> None:
        """3.1.2.10: speak within the keep-alive, and hear within two of its halves."""
        if not self._heard and not self._paused:
            self._break_off("the broker is silent")
            return
        self._heard = False
        self._write(frame(Kind.PINGREQ))
        self._alive = self._loop.call_later(KEEPALIVE_S / 2, self._keep_alive)

    def _next_id(self) -> int:
        while True:
            self._last_id = self._last_id % _IDS + 1
            if self._last_id != _SUBSCRIBE_ID and self._last_id not in self._unacked:
                return self._last_id

    def _full(self) -> bool:
        transport = self._transport
        if transport is None or self.closed.is_set():
            return True
        return transport.get_write_buffer_size() + len(self._out) > _BUFFER_MOST

    def _write(self, data: bytes) -> None:
        """Gathered: a batch of acknowledgements goes out in one piece."""
        if not self._out and not self.closed.is_set():
            self._loop.call_soon(self._flush)
        self._out += data

    def _flush(self) -> None:
        if self._out and self._transport is not None and not self.closed.is_set():
            self._transport.write(bytes(self._out))
        self._out.clear()

    def _break_off(self, problem: str | OSError) -> None:
        self._fail(str(problem), problem if isinstance(problem, OSError) else None)
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, problem: str, cause: Exception | None = None) -> None:
        if self.closed.is_set():
            return
        self.problem = problem
        if self._alive is not None:
            self._alive.cancel()
        error: OSError
        if isinstance(cause, OSError) and not isinstance(cause, ConnectionResetError):
            error = cause
        elif self._ready.done():
            error = ConnectionResetError(problem)
        else:
            error = ConnectionAbortedError(problem)
        for waiting in (self._ready, *self._unacked.values()):
            if not waiting.done():
                waiting.set_exception(error)
        self.closed.set()


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
