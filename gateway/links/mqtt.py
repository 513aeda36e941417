# SPDX-License-Identifier: MIT
"""Links: MQTT by paho inside the event loop, acknowledged by hand: commit first, then PUBACK."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.links.interface import Arrival, Clock, Offer

_LOG = logging.getLogger(__name__)
_KEEPALIVE_S = 30
_CONNECT_S = 10.0
_BACKOFF_S = (0.2, 10.0)
_OFFER_AGAIN_S = 0.05

_Take = Callable[[paho.Client, paho.MQTTMessage], None]


@dataclass(frozen=True, slots=True)
class MqttAccess:
    """Where the broker is and who we are to it. A persistent session keeps what comes meanwhile."""

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    client_id: str
    persistent: bool


class MqttLink:
    """Subscribes to all uplinks of a site and publishes downlinks, QoS 0."""

    def __init__(self, access: MqttAccess, site: str, offer: Offer, clock: Clock) -> None:
        self.name = f"mqtt {access.host}:{access.port}"
        self.connected = False
        self.counters: Counter[str] = Counter()
        self.problem = ""
        self.ready = asyncio.Event()
        self._access = access
        self._filter = f"groundwatch/v1/{site}/+/up"
        self._offer = offer
        self._clock = clock
        self._client: paho.Client | None = None
        self._session: _Session | None = None
        self._held: deque[Arrival] = deque()
        self._again: asyncio.TimerHandle | None = None
        self._random = random.Random()

    async def run(self) -> None:
        """Connect, carry, reconnect with jitter, until cancelled."""
        wait_s, told = _BACKOFF_S[0], ""
        while True:
            session = self._session = _Session(self._access, self._filter, self._take)
            try:
                await session.open()
                self._client, self.connected, self.problem = session.client, True, ""
                self.counters["connects"] += 1
                self.ready.set()
                wait_s, told = _BACKOFF_S[0], ""
                await session.closed.wait()
                self.problem = session.problem
            except (OSError, TimeoutError) as error:
                self.problem = str(error) or type(error).__name__
            finally:
                self._client, self._session, self.connected = None, None, False
                self._held.clear()  # not acknowledged: they come again
                if self._again is not None:
                    self._again.cancel()
                self.ready.clear()
                session.abandon()
            self.counters["disconnects"] += 1
            if self.problem != told:
                # Once per problem: what goes on is on the page, not in a line for every retry.
                _LOG.warning("lost the broker link=%r problem=%r", self.name, self.problem)
                told = self.problem
            await asyncio.sleep(wait_s * self._random.uniform(0.5, 1.5))
            wait_s = min(2 * wait_s, _BACKOFF_S[1])

    def send(self, topic: str, payload: bytes) -> bool:
        """Publish at QoS 0; False when the broker is away or slow."""
        if self._client is None or self._client.publish(topic, payload).rc != MQTTErrorCode(0):
            self.counters["down_dropped"] += 1
            return False
        self.counters["down"] += 1
        return True

    def _take(self, client: paho.Client, message: paho.MQTTMessage) -> None:
        self.counters["up"] += 1

        def acknowledge() -> None:
            client.ack(message.mid, message.qos)

        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # the door refuses and counts it
        arrival = Arrival(self._clock(), topic, bytes(message.payload), self, acknowledge)
        self._held.append(arrival)
        if len(self._held) == 1:
            self._offer_held()

    def _offer_held(self) -> None:
        """Let a message that is not taken wait, and the broker with it: passed over, it would never
        be acknowledged and keep its place in the broker's window for good."""
        while self._held and self._offer(self._held[0]):
            self._held.popleft()
        if self._session is None:
            return
        if self._held:
            self.counters["held_back"] += 1
            self._session.pause()
            self._again = asyncio.get_running_loop().call_later(_OFFER_AGAIN_S, self._offer_held)
        else:
            self._session.resume()


class _Session:
    """One connection: paho's sockets given to the event loop."""

    def __init__(self, access: MqttAccess, topics: str, take: _Take) -> None:
        self.closed = asyncio.Event()
        self.problem = ""
        self._access = access
        self._topics = topics
        self._loop = asyncio.get_running_loop()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._misc: asyncio.TimerHandle | None = None
        self._paused = False
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=access.client_id,
            clean_session=not access.persistent,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        if access.username is not None:
            self.client.username_pw_set(access.username, access.password)
        # Answers are small; what a slow broker does not take is dropped and asked for again.
        self.client.max_queued_messages_set(1000)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = lambda client, _userdata, message: take(client, message)
        self.client.on_socket_open = self._on_socket_open
        self.client.on_socket_close = self._on_socket_close
        self.client.on_socket_register_write = self._on_register_write
        self.client.on_socket_unregister_write = self._on_unregister_write

    async def open(self) -> None:
        """Connected and subscribed when it returns. Raises OSError or TimeoutError."""
        access = self._access
        async with asyncio.timeout(_CONNECT_S):
            await self._loop.run_in_executor(
                None, self.client.connect, access.host, access.port, _KEEPALIVE_S
            )
            self._tick()
            await self._subscribed

    def pause(self) -> None:
        """Read nothing for now; the broker feels it."""
        self._paused = True
        sock = self.client.socket()
        if sock is not None:
            self._loop.remove_reader(sock)

    def resume(self) -> None:
        """Read again."""
        sock = self.client.socket()
        if self._paused and sock is not None:
            self._paused = False
            self._loop.add_reader(sock, self.client.loop_read)

    def abandon(self) -> None:
        """Say goodbye if that can be done at once, and let go of the socket."""
        if self._misc is not None:
            self._misc.cancel()
        self._subscribed.cancel()
        self.client.on_disconnect = None
        self.client.disconnect()
        sock = self.client.socket()
        if sock is not None:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            sock.close()

    def _tick(self) -> None:
        self.client.loop_misc()
        self._misc = self._loop.call_later(1.0, self._tick)

    def _fail(self, problem: str) -> None:
        self.problem = self.problem or problem
        if not self._subscribed.done():
            self._subscribed.set_exception(OSError(problem))
        self.closed.set()

    def _on_connect(
        self,
        client: paho.Client,
        _userdata: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._fail(f"broker refused us: {reason}")
        else:
            client.subscribe(self._topics, qos=1)

    def _on_subscribe(
        self,
        _client: paho.Client,
        _userdata: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._fail(f"broker refused the subscription to {self._topics}")
        elif not self._subscribed.done():
            self._subscribed.set_result(None)

    def _on_disconnect(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._fail(f"connection closed: {reason}")

    # paho calls these from the thread of `connect` too, hence the detour.
    def _on_socket_open(
        self, _client: paho.Client, _userdata: object, sock: paho.SocketLike
    ) -> None:
        assert isinstance(sock, socket.socket)
        # Answers are a few dozen bytes: Nagle would hold each back for a delayed ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.call_soon_threadsafe(self._watch_readable, sock)

    def _on_socket_close(
        self, _client: paho.Client, _userdata: object, sock: paho.SocketLike
    ) -> None:
        self._loop.remove_reader(sock.fileno())

    def _on_register_write(
        self, _client: paho.Client, _userdata: object, sock: paho.SocketLike
    ) -> None:
        self._loop.call_soon_threadsafe(self._watch_writable, sock)

    def _on_unregister_write(
        self, _client: paho.Client, _userdata: object, sock: paho.SocketLike
    ) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_writer(sock.fileno())

    def _watch_readable(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._loop.add_reader(sock, self.client.loop_read)

    def _watch_writable(self, sock: paho.SocketLike) -> None:
        if sock.fileno() >= 0 and self.client.want_write():
            self._loop.add_writer(sock.fileno(), self.client.loop_write)
