# SPDX-License-Identifier: MIT
"""Broker: the embedded broker, with the part of MQTT 3.1.1 that nodes need. It trusts no client.

A node may publish on its own uplink and receive its own downlink, nothing else. The broker is also
a link of the gateway: it passes each message to the intake in the same process. It acknowledges a
QoS 1 message only after the gateway has committed it. So a PUBACK means that the message is stored,
and the broker needs no queue that a crash could lose.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections import Counter, deque

from gateway.broker import packets
from gateway.broker.interface import Broker, Passwords
from gateway.broker.packets import Publish
from gateway.broker.peer import Peer, acknowledge_nothing
from gateway.errors import BrokerError
from gateway.limits import TokenBucket
from gateway.ports.link import Arrival, Clock, Offer
from gateway.wire.topics import downlink_topic, uplink_topic

_LOG = logging.getLogger(__name__)
_MAX_UNKNOWN = 64  # connections before their CONNECT
_READ = 16_384  # bytes of one read; more of a peer is not held
_SWEEP_S = 1.0  # how often keep-alives are looked at
# Shorter than the commit of a full batch, so that reading goes on during a commit.
_OFFER_AGAIN_S = 0.005
# A node that loses its network comes back on a new connection; two clients with one name take the
# session from each other again and again.
_TAKEN_PER_S, _TAKEN_AT_ONCE = 0.1, 10
_MAX_ORPHANS = 1024  # Wills, and messages at QoS 0, whose connection ended before there was room


class EmbeddedBroker(Broker):
    """Serves on one address, and is a `Link`. `passwords` are those of the nodes by node id."""

    def __init__(
        self, host: str, port: int, site: str, passwords: Passwords, offer: Offer, clock: Clock
    ) -> None:
        super().__init__(host, port)
        self.name = f"broker {host}:{port}"
        self.connected = False
        self.sessions: dict[str, Peer] = {}
        self.site = site
        self.clock = clock
        self.offer = offer
        self._passwords = dict(passwords)
        self._server: asyncio.Server | None = None
        self._peers: set[Peer] = set()
        self._unknown: dict[Peer, str] = {}  # their addresses, in the order in which they came
        self._taken: dict[str, TokenBucket] = {}
        self._stopping = False
        self._buffer = bytearray(_READ)
        self._unsent: list[Peer] = []
        self._waiting: dict[Peer, None] = {}  # an ordered set
        self._orphans: deque[Arrival] = deque()
        self._again: asyncio.TimerHandle | None = None
        self._sweeping: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Listening when it returns. Raises BrokerError."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Peer(self, self, self._buffer), self.host, self.port, backlog=1024
            )
        except OSError as error:
            raise BrokerError(
                f"broker cannot listen on {self.host}:{self.port}: {error.strerror or error}; "
                "set another [broker] host or port"
            ) from None
        self.port = self._server.sockets[0].getsockname()[1]
        self.name = f"broker {self.host}:{self.port}"
        self.connected = True
        self._sweeping = loop.call_later(_SWEEP_S, self._sweep)

    async def stop(self) -> None:
        """Close all connections."""
        self._stopping = True
        self.connected = False
        for timer in (self._sweeping, self._again):
            if timer is not None:
                timer.cancel()
        if self._server is not None:
            self._server.close()
        for peer in list(self._peers):
            peer.close()
        if self._server is not None:
            await self._server.wait_closed()

    async def run(self) -> None:
        """Until cancelled: it needs no task of its own."""
        await asyncio.Event().wait()

    def send(self, topic: str, payload: bytes) -> bool:
        """Publish to a node at QoS 0; False when it is away or slow."""
        node = topic.removesuffix("/down").rpartition("/")[2]
        peer = self.sessions.get(node)
        if peer is None or not peer.send(Publish(topic, payload, 0).encode(0)):
            self.counters["down_dropped"] += 1
            return False
        self.counters["down"] += 1
        return True

    async def set_passwords(self, passwords: Passwords) -> None:
        """From now on these; a connection made with another is ended, without its Will."""
        self._passwords = dict(passwords)
        for user, peer in list(self.sessions.items()):
            if peer.password not in passwords.get(user, ()):
                self.counters["disconnected"] += 1
                peer.will = None
                peer.close()

    # What a peer needs of this broker

    def met(self, peer: Peer) -> None:
        """An unknown client has connected; where they are too many, the oldest one of the address
        that has most of them gives way."""
        self._peers.add(peer)
        self._unknown[peer] = peer.address
        if len(self._unknown) > _MAX_UNKNOWN:
            self.count("too many unknown connections")
            (most, _count), *_others = Counter(self._unknown.values()).most_common(1)
            oldest = next(one for one, address in self._unknown.items() if address == most)
            del self._unknown[oldest]
            oldest.close()

    def welcome(self, peer: Peer, connect: packets.Connect) -> str:
        """Why this client is refused; empty when it is not."""
        problem = self._refusal(connect)
        if problem:
            return problem
        user = connect.username or ""
        old, self.sessions[user] = self.sessions.get(user), peer
        if old is not None:
            # The node is back: its old connection ends without its Will.
            old.will = None
            old.close()
            self._took_over(user)
        self._unknown.pop(peer, None)
        self.counters["connects"] += 1
        return ""

    def topics_of(self, user: str) -> tuple[str, str]:
        """(uplink, downlink) of a node."""
        return uplink_topic(self.site, user), downlink_topic(self.site, user)

    def wait_for_room(self, peer: Peer) -> None:
        """Offer again soon what this peer holds."""
        self.counters["held_back"] += 1
        self._waiting[peer] = None
        self._offer_soon()

    def flush_soon(self, peer: Peer) -> None:
        """One write for a batch of acknowledgements."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(peer)

    def count(self, reason: str) -> None:
        """What was refused, by reason."""
        self.counters[reason.replace(" ", "_")] += 1
        _LOG.info("refused reason=%r", reason)

    def overstepped(self, peer: Peer) -> None:
        """A node with the right password tried to use a topic of another."""
        self.on_refused(peer.user, True)

    def left(self, peer: Peer) -> None:
        """Publish the Will; keep messages that the node would not send again."""
        self._peers.discard(peer)
        if not peer.user:
            self._unknown.pop(peer, None)
            return
        if self.sessions.get(peer.user) is peer:
            del self.sessions[peer.user]
        held, will, peer.will = peer.take_held(), peer.will, None
        if held is not None and held.acknowledge is acknowledge_nothing:
            self._adopt(held)
        if will is not None and not self._stopping:
            self._adopt(Arrival(self.clock(), will.topic, will.payload, self, acknowledge_nothing))

    def _took_over(self, user: str) -> None:
        """A session was taken over: too often is the work of a second client with its password."""
        self.counters["taken_over"] += 1
        bucket = self._taken.setdefault(user, TokenBucket(_TAKEN_PER_S, _TAKEN_AT_ONCE))
        if not bucket.take(asyncio.get_running_loop().time()):
            self.count("taken over too often")
            self.on_refused(user, True)

    def _refusal(self, connect: packets.Connect) -> str:
        """Why this client is refused; empty when it is not."""
        user = connect.username or ""
        expected = self._passwords.get(user, ())
        given = (connect.password or "").encode()
        # The same work for an unknown name as for a known one.
        tried = expected or (secrets.token_hex(16),)
        right = [hmac.compare_digest(given, password.encode()) for password in tried]
        if not expected or not any(right):
            self.on_refused(user, False)
            return "bad credentials"
        if connect.client_id != user:
            self.on_refused(user, True)
            return "client id is not the node"
        will = connect.will
        if will and (will.topic != uplink_topic(self.site, user) or will.retain):
            self.on_refused(user, True)
            return "will on a foreign topic"
        return ""

    def _flush(self) -> None:
        peers, self._unsent = self._unsent, []
        for peer in peers:
            try:
                peer.flush()
            except Exception as error:  # the others are answered all the same
                self._failed(peer, error)

    def _adopt(self, arrival: Arrival) -> None:
        if self.offer(arrival):
            return
        if len(self._orphans) >= _MAX_ORPHANS:
            self.counters["queue_full"] += 1
            return
        self._orphans.append(arrival)
        self._offer_soon()

    def _offer_soon(self) -> None:
        if self._again is None:
            loop = asyncio.get_running_loop()
            self._again = loop.call_later(_OFFER_AGAIN_S, self._offer_again)

    def _offer_again(self) -> None:
        """One peer after the other; the first that finds the queue full goes to the end."""
        self._again = None
        try:
            while self._orphans:
                orphan = self._orphans.popleft()
                if not self.offer(orphan):
                    self._orphans.appendleft(orphan)
                    break
            for peer in list(self._waiting):
                del self._waiting[peer]
                try:
                    if peer.proceed():
                        continue
                except Exception as error:  # the others are offered all the same
                    self._failed(peer, error)
                    continue
                self._waiting[peer] = None
                break
        finally:
            if self._waiting or self._orphans:
                self._offer_soon()

    def _failed(self, peer: Peer, error: Exception) -> None:
        """A fault of our own ends one connection; its node connects again."""
        loop = asyncio.get_running_loop()
        where = f"connection of {peer.user or 'an unknown client'}"
        loop.call_exception_handler({"message": where, "part": "broker", "exception": error})
        peer.close()

    def _sweep(self) -> None:
        """End connections that were silent for longer than their keep-alive."""
        loop = asyncio.get_running_loop()
        self._sweeping = loop.call_later(_SWEEP_S, self._sweep)  # first: it goes on in any case
        now_s = loop.time()
        for peer in list(self._peers):
            if not peer.sweep(now_s):
                peer.close()
