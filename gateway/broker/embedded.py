# SPDX-License-Identifier: MIT
"""Brokers: the embedded one. It speaks as much MQTT 3.1.1 as nodes need and trusts nobody.

Not a general broker: a node may publish its own uplink and hear its own downlink, and there is one
gateway. A node's QoS 1 message is acknowledged when the gateway acknowledged it, which it does
after the commit: so here a PUBACK means stored, and there is no queue to lose.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets

from gateway.broker import packets
from gateway.broker.interface import GATEWAY_USER, MAX_PACKET, Broker, Passwords
from gateway.broker.packets import Kind, PacketError, Publish
from gateway.errors import BrokerError
from gateway.wire.topics import downlink_topic, uplink_topic

_LOG = logging.getLogger(__name__)
_CONNECT_S = 5.0
_UNKNOWN_MOST = 64  # connections that have not said who they are
_KEEPALIVE_S = (5, 300)  # what is granted; 0 (never) is taken as the longest
_INFLIGHT = 16
_BUFFER_MOST = 256 * 1024  # unsent bytes of a slow reader; beyond it QoS 0 is dropped
_UNACKED_MOST = 16_384  # on the way to a peer; packet ids end at 65,535
_RATE_PER_S = 100  # a node in its worst minute sends tens; a flood waits
_BURST = 500


class EmbeddedBroker(Broker):
    """Serves on one address. `passwords` are those of the nodes by node id."""

    def __init__(self, host: str, port: int, site: str, passwords: Passwords) -> None:
        super().__init__(host, port)
        self.username = GATEWAY_USER
        self.password = secrets.token_hex(16)
        self.sessions: dict[str, _Session] = {}
        self.gateway_here = asyncio.Event()
        self.site = site
        self._passwords = dict(passwords)
        self._server: asyncio.Server | None = None
        self._unknown = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listening when it returns. Raises BrokerError."""
        try:
            # The stream buffer bounds what a peer can make us hold before its packet is judged.
            self._server = await asyncio.start_server(
                self._connected, self.host, self.port, limit=2 * MAX_PACKET, backlog=1024
            )
        except OSError as error:
            raise BrokerError(
                f"broker cannot listen on {self.host}:{self.port}: {error.strerror or error}; "
                "set another [broker] port"
            ) from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close all connections."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def watch(self) -> None:
        """It lives in this process: it ends when the gateway does."""
        await asyncio.Event().wait()

    async def set_passwords(self, passwords: Passwords) -> None:
        """From now on these; who came in with another is put out, without its Will."""
        self._passwords = dict(passwords)
        for user, session in list(self.sessions.items()):
            if not session.is_gateway and session.password not in passwords.get(user, ()):
                self.counters["put_out"] += 1
                session.will = None
                session.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        session: _Session | None = None
        try:
            session = await self._welcome(reader, writer)
            if session is not None:
                await session.serve()
        except PacketError as error:
            self._count(str(error))
        except (asyncio.IncompleteReadError, TimeoutError, OSError):
            pass  # the peer is gone, which the Will tells
        except asyncio.CancelledError:
            pass  # we are stopping, or another connection of the node took over
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
            if session is not None:
                self._leave(session)

    async def _welcome(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> _Session | None:
        if self._unknown >= _UNKNOWN_MOST:
            self._count("too many unknown connections")
            return None
        self._unknown += 1
        try:
            async with asyncio.timeout(_CONNECT_S):
                kind, _flags, body = await packets.read_packet(reader, MAX_PACKET)
        except TimeoutError:
            raise PacketError("no connect in time") from None
        finally:
            self._unknown -= 1
        if kind is not Kind.CONNECT:
            raise PacketError("no connect")
        try:
            connect = packets.parse_connect(body)
        except packets.ForeignProtocol:
            writer.write(packets.frame(Kind.CONNACK, bytes((0, packets.BAD_PROTOCOL))))
            await writer.drain()
            raise
        problem = self._refusal(connect)
        code = packets.NOT_AUTHORISED if problem else packets.ACCEPTED
        writer.write(packets.frame(Kind.CONNACK, bytes((0, code))))
        if problem:
            await writer.drain()
            raise PacketError(problem)
        session = _Session(self, connect, reader, writer)
        old = self.sessions.get(session.user)
        self.sessions[session.user] = session
        if old is not None:
            # The node is back: its old connection ends without its Will.
            old.will = None
            old.close()
            session.inherit(old)
        self.counters["connects"] += 1
        return session

    def _refusal(self, connect: packets.Connect) -> str:
        """Why this one may not come in; empty when it may."""
        user = connect.username or ""
        expected: tuple[str, ...] = self._passwords.get(user, ())
        if user == self.username:
            expected = (self.password or "",)
        given = (connect.password or "").encode()
        # The same work for an unknown name as for a known one.
        tried = expected or (secrets.token_hex(16),)
        right = [hmac.compare_digest(given, password.encode()) for password in tried]
        if not expected or not any(right):
            self.on_refused(user, False)
            return "bad credentials"
        is_gateway = user == self.username
        if connect.client_id != user and not is_gateway:
            self.on_refused(user, True)
            return "client id is not the node"
        will = connect.will
        if will and (is_gateway or will.topic != uplink_topic(self.site, user) or will.retain):
            self.on_refused(user, True)
            return "will on a foreign topic"
        return ""

    def _leave(self, session: _Session) -> None:
        if self.sessions.get(session.user) is session:
            if session.is_gateway:
                self.gateway_here.clear()
                return  # kept in `sessions`: its unacknowledged messages go to its successor
            del self.sessions[session.user]
        will, session.will = session.will, None
        gateway = self.sessions.get(GATEWAY_USER)
        if will is not None and gateway is not None and self.gateway_here.is_set():
            if gateway.full:
                self.counters["gateway_takes_no_more"] += 1
            else:
                gateway.deliver(will, None, 0)

    def _count(self, reason: str) -> None:
        self.counters[reason.replace(" ", "_")] += 1
        _LOG.info("refused reason=%r", reason)


class _Session:
    """One authenticated connection: a node, or the gateway."""

    def __init__(
        self,
        broker: EmbeddedBroker,
        connect: packets.Connect,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.user = connect.username or ""
        self.password = connect.password or ""
        self.is_gateway = self.user == GATEWAY_USER
        self.will = connect.will
        self._broker = broker
        self._reader = reader
        self._writer = writer
        self._task = asyncio.current_task()
        self._room = asyncio.Semaphore(_INFLIGHT)
        self._tokens = float(_BURST)
        self._filled_s = asyncio.get_running_loop().time()
        self._subscribed = False
        self._last_id = 0
        # Sent to this peer and not acknowledged: packet id -> message, its sender, its id there.
        self._unacked: dict[int, tuple[Publish, _Session | None, int]] = {}
        low, high = _KEEPALIVE_S
        self._silence_s = 1.5 * min(max(connect.keepalive_s or high, low), high)

    async def serve(self) -> None:
        """Until the peer leaves. Raises PacketError when it does what it may not."""
        while True:
            async with asyncio.timeout(self._silence_s):
                kind, flags, body = await packets.read_packet(self._reader, MAX_PACKET)
            if kind is Kind.PUBLISH:
                await self._on_publish(packets.parse_publish(flags, body))
            elif kind is Kind.PUBACK:
                self._on_puback(packets.parse_packet_id(body))
            elif kind is Kind.SUBSCRIBE:
                self._on_subscribe(*packets.parse_subscribe(body))
            elif kind is Kind.UNSUBSCRIBE:
                self._subscribed = False
                packet_id = packets.parse_packet_id(body)
                self._write(packets.frame(Kind.UNSUBACK, packet_id.to_bytes(2, "big")))
            elif kind is Kind.PINGREQ:
                self._write(packets.frame(Kind.PINGRESP))
            elif kind is Kind.DISCONNECT:
                self.will = None
                return
            else:
                raise PacketError("unexpected packet")
            await self._writer.drain()

    @property
    def full(self) -> bool:
        """This peer has so much to acknowledge that it gets nothing more."""
        return len(self._unacked) >= _UNACKED_MOST

    def deliver(self, message: Publish, sender: _Session | None, sender_id: int) -> None:
        """Send a message to this peer; its sender is told when the peer has acknowledged it."""
        if message.qos == 0:
            if self._writer.transport.get_write_buffer_size() > _BUFFER_MOST:
                self._broker.counters["dropped_for_a_slow_reader"] += 1
            else:
                self._write(message.encode(0))
            return
        packet_id = self._next_id()
        self._unacked[packet_id] = (message, sender, sender_id)
        self._write(message.encode(packet_id))

    def inherit(self, old: _Session) -> None:
        """Messages the same user's last connection left unacknowledged (gateway only)."""
        if self.is_gateway:
            self._unacked, self._last_id = old._unacked, old._last_id

    def close(self) -> None:
        """End this connection."""
        if self._task is not None:
            self._task.cancel()

    def acknowledged(self, sender_id: int) -> None:
        """A message of this peer has arrived where it should."""
        self._room.release()
        self._write(packets.frame(Kind.PUBACK, sender_id.to_bytes(2, "big")))

    async def _on_publish(self, message: Publish) -> None:
        if self.is_gateway:
            self._to_node(message)
            return
        if message.topic != uplink_topic(self._broker.site, self.user) or message.retain:
            self._broker.on_refused(self.user, True)
            raise PacketError("publish on a foreign topic")
        await self._slow_down()
        # Waiting here stops reading: the peer feels it as a slow link and loses nothing.
        if message.qos:
            await self._room.acquire()
        await self._broker.gateway_here.wait()
        # Only now: while it waited, the gateway may have come back on another connection.
        gateway = self._broker.sessions[GATEWAY_USER]
        if gateway.full:
            # Nodes that wait in vain come back, again and again, while the store fails for hours.
            raise PacketError("gateway takes no more")
        gateway.deliver(message, self, message.packet_id)

    def _to_node(self, message: Publish) -> None:
        node = message.topic.removesuffix("/down").rpartition("/")[2]
        peer = self._broker.sessions.get(node)
        if peer is not None and peer._subscribed and not peer.is_gateway:
            peer.deliver(message, self if message.qos else None, message.packet_id)
        else:
            self._broker.counters["down_nobody_there"] += 1
            if message.qos:
                self._write(packets.frame(Kind.PUBACK, message.packet_id.to_bytes(2, "big")))

    def _on_puback(self, packet_id: int) -> None:
        entry = self._unacked.pop(packet_id, None)
        if entry is not None and entry[1] is not None:
            entry[1].acknowledged(entry[2])

    def _on_subscribe(self, packet_id: int, filters: list[tuple[str, int]]) -> None:
        own = (
            f"groundwatch/v1/{self._broker.site}/+/up"
            if self.is_gateway
            else downlink_topic(self._broker.site, self.user)
        )
        codes = bytearray(packet_id.to_bytes(2, "big"))
        for wanted, qos in filters:
            if wanted == own:
                self._subscribed = True
                codes.append(min(qos, 1))
            else:
                codes.append(packets.SUBSCRIPTION_REFUSED)
                self._broker.counters["subscribe_on_a_foreign_topic"] += 1
                self._broker.on_refused(self.user, True)
        self._write(packets.frame(Kind.SUBACK, bytes(codes)))
        if self.is_gateway and self._subscribed:
            self._broker.gateway_here.set()
            for waiting_id, (message, _sender, _id) in list(self._unacked.items()):
                self._write(message.encode(waiting_id, duplicate=True))

    async def _slow_down(self) -> None:
        now_s = asyncio.get_running_loop().time()
        self._tokens = min(_BURST, self._tokens + (now_s - self._filled_s) * _RATE_PER_S) - 1
        self._filled_s = now_s
        if self._tokens < 0:
            self._broker.counters["slowed_down"] += 1
            await asyncio.sleep(-self._tokens / _RATE_PER_S)

    def _next_id(self) -> int:
        while True:
            self._last_id = self._last_id % 0xFFFF + 1
            if self._last_id not in self._unacked:
                return self._last_id

    def _write(self, data: bytes) -> None:
        # What is not QoS 0 is bounded by the senders' inflight windows.
        if not self._writer.is_closing():
            self._writer.write(data)
