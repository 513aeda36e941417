# SPDX-License-Identifier: MIT
"""MQTT: a session with a broker on one connection, by paho-mqtt inside the event loop.

Messages are acknowledged by hand: commit first, then PUBACK. Nothing here connects again: the
owner of a session makes the next one. The bytes go through `stream`, so paho never blocks.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.reasoncodes import ReasonCode

from gateway.mqtt.access import BrokerRefused, MqttAccess, Transport, Will
from gateway.mqtt.connect import CONNECT_S, connect, make_client
from gateway.mqtt.stream import Stream

_LOG = logging.getLogger(__name__)
_MISC_S = 3.0  # how often paho looks at its keep-alive
_MAX_UNSENT = 256 * 1024  # bytes a broker does not read; beyond it nothing is taken
_UNSPECIFIED = 0x80  # MQTT 5, 2.4
_PINGREQ = b"\xc0\x00"

# Topic (empty when it is not UTF-8), payload, packet id (0 at QoS 0), whether it was retained.
Take = Callable[[str, bytes, int, bool], None]


def take_nothing(_topic: str, _payload: bytes, _packet_id: int, _retained: bool) -> None:
    """For a session that subscribes to nothing."""


class MqttSession:
    """`await open()`; then messages go to `take` until `closed` is set; `problem` states why.

    `topics` are subscribed to at QoS 1. `counters` count "too_big". All methods are of the event
    loop's thread.
    """

    def __init__(
        self,
        access: MqttAccess,
        topics: Sequence[str] | None,
        take: Take,
        counters: Counter[str],
        will: Will | None = None,
    ) -> None:
        self.closed = asyncio.Event()
        self.problem = ""
        self._access = access
        self._topics = tuple(topics or ())
        self._counters = counters
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        # An attempt that is not waited for any more may fail without a warning.
        self._ready.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._unacked: dict[int, asyncio.Future[None]] = {}
        self._stream: Stream | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._file = -1
        self._writing = False
        self._gathered = 0  # bytes of messages that paho holds for the next write
        self._client = client = make_client(access, will)
        client.on_too_big = self._on_too_big
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_arrival = take
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect

    async def open(self) -> None:
        """Connected and subscribed when it returns. Raises OSError or TimeoutError."""
        async with asyncio.timeout(CONNECT_S):
            await connect(self._client, self._access)
            self._attach()
            await self._ready

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> bool:
        """At QoS 0; False when the broker is away or slow."""
        if self._full():
            return False
        self._gathered += len(payload)
        self._client.publish(topic, payload, 0, retain)
        return True

    async def deliver(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """At QoS 1: the broker has it when this returns. Raises OSError."""
        sent = None if self._full() else self._client.publish(topic, payload, 1, retain)
        if sent is None or sent.rc != paho.MQTT_ERR_SUCCESS:
            raise OSError("the broker accepts nothing now")
        self._gathered += len(payload)
        done = self._unacked[sent.mid] = self._loop.create_future()
        try:
            await done
        finally:
            self._unacked.pop(sent.mid, None)

    def acknowledge(self, packet_id: int) -> None:
        """PUBACK; nothing at QoS 0, nor once the connection is gone: the message comes again."""
        if packet_id and not self.closed.is_set():
            self._client.ack(packet_id, 1)

    def pause(self) -> None:
        """Take nothing for now, not even of what was read; the broker sees a slow reader."""
        if self._stream is not None and not self._stream.paused and not self.closed.is_set():
            self._stream.paused = True
            self._loop.remove_reader(self._file)

    def resume(self) -> None:
        """Continue where `pause` stopped."""
        if self._stream is not None and self._stream.paused and not self.closed.is_set():
            self._stream.paused = False
            self._loop.add_reader(self._file, self._on_readable)
            self._loop.call_soon(self._on_pending)

    def close(self) -> None:
        """DISCONNECT if that can be sent at once, and release the socket."""
        if self._stream is not None and not self.closed.is_set():
            self._fail("closed by us")
            self._detach()
            client = self._client
            # paho holds a lock while it calls back, and `close` may be called from `take`.
            client.on_publish = client.on_disconnect = client.on_socket_close = None
            client.disconnect()
            client.loop_write()
        self._end("closed by us")

    def _attach(self) -> None:
        """From here on paho runs by the loop's readiness and timers."""
        client = self._client
        self._stream = client.stream
        client.on_socket_register_write = self._on_want_write
        client.on_socket_unregister_write = _ignore
        client.on_socket_close = self._on_socket_close
        self._file = self._stream.fileno()
        self._loop.add_reader(self._file, self._on_readable)
        self._timer = self._loop.call_later(_MISC_S, self._on_timer)
        self._on_readable()  # a TLS alert may be here, and would be lost by a write
        self._flush()

    def _on_readable(self) -> None:
        assert self._stream is not None
        try:
            more = self._stream.fill()
        except OSError as error:
            self._break_off(str(error) or type(error).__name__, error)
            return
        self._parse()
        if more and not self.closed.is_set():
            self._loop.call_soon(self._on_pending)

    def _on_pending(self) -> None:
        """TLS has read more from the socket than it has given out: no event will come for it."""
        if not self.closed.is_set() and self._stream is not None and not self._stream.paused:
            self._on_readable()

    def _parse(self) -> None:
        stream, client = self._stream, self._client
        assert stream is not None
        try:
            while stream.readable and not self.closed.is_set():
                client.loop_read()
        except Exception as error:
            # paho reads hostile bytes here and raises what its decoders happen to.
            _LOG.warning("bad packet from a broker: %s", error, exc_info=True)
            self._break_off("bad packet")

    def _on_timer(self) -> None:
        if self.closed.is_set() or self._stream is None:
            return
        self._timer = self._loop.call_later(_MISC_S, self._on_timer)
        if self._stream.paused:
            # paho would miss the answer, which waits behind what is not read.
            self._stream.send(_PINGREQ)
            self._flush()
        else:
            self._client.loop_misc()

    def _on_want_write(self, _client: paho.Client, _data: Any, _socket: Any) -> None:
        """Gathered: a batch of acknowledgements goes out in one write."""
        if not self._writing:
            self._writing = True
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        self._writing = False
        self._gathered = 0
        if not self.closed.is_set():
            self._client.loop_write()
            self._flush()

    def _flush(self) -> None:
        if self.closed.is_set() or self._stream is None:
            return
        try:
            if self._stream.flush():
                self._loop.remove_writer(self._file)
            else:
                self._loop.add_writer(self._file, self._flush)
        except OSError as error:
            cause = self._last_read(error)
            self._break_off(str(cause) or type(cause).__name__, cause)

    def _last_read(self, error: OSError) -> OSError:
        """Why the other side closed, when it sent that before our write failed (a TLS alert)."""
        assert self._stream is not None
        try:
            self._stream.fill()
        except OSError as better:
            return better
        return error

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, given: Any
    ) -> None:
        if reason.is_failure:
            refused = BrokerRefused(reason.value)
            self._fail(str(refused), refused)
            return
        if receive_maximum := getattr(given, "ReceiveMaximum", 0):
            self._client.limit_inflight(receive_maximum)
        if self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self._set_ready()

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, _id: int, reasons: list[ReasonCode], _more: Any
    ) -> None:
        refused = [
            topic for topic, reason in zip(self._topics, reasons, strict=False) if reason.is_failure
        ]
        if refused or len(reasons) != len(self._topics):
            problem = f"broker refused the subscription to {', '.join(refused or self._topics)}"
            self._loop.call_soon(self._break_off, problem)
        else:
            self._set_ready()

    def _on_publish(
        self, _client: paho.Client, _data: Any, packet_id: int, reason: ReasonCode, _more: Any
    ) -> None:
        done = self._unacked.get(packet_id)
        if done is not None and not done.done():
            if reason.is_failure:
                done.set_exception(OSError(f"the broker rejected the message: {reason}"))
            else:
                done.set_result(None)

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, flags: Any, reason: ReasonCode, _more: Any
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._fail(f"the broker disconnected: {reason}")
        elif reason.value == _UNSPECIFIED:
            self._fail("connection closed")
        else:
            self._fail(f"connection closed: {reason}")

    def _on_socket_close(self, _client: paho.Client, _data: Any, _socket: Any) -> None:
        self._detach()

    def _on_too_big(self, packet_id: int) -> None:
        """Never a node's; passed over, or its sender would keep us from the others."""
        self._counters["too_big"] += 1
        if packet_id:
            self._client.ack(packet_id, 1)

    def _set_ready(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    def _full(self) -> bool:
        if self._stream is None or self.closed.is_set() or not self._ready.done():
            return True
        return self._stream.unsent + self._gathered > _MAX_UNSENT

    def _break_off(self, problem: str, cause: Exception | None = None) -> None:
        self._fail(problem, cause)
        self._end(problem)

    def _end(self, problem: str) -> None:
        """Nothing of the connection is left."""
        self._fail(problem)
        stream, self._stream = self._stream, None
        self._detach()
        if stream is not None:
            stream.close()

    def _detach(self) -> None:
        """Before the socket is closed, or the loop would take the next one for it."""
        file, self._file = self._file, -1
        if file >= 0:
            self._loop.remove_reader(file)
            self._loop.remove_writer(file)

    def _fail(self, problem: str, cause: Exception | None = None) -> None:
        if self.closed.is_set():
            return
        self.problem = problem
        if self._timer is not None:
            self._timer.cancel()
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


def _ignore(*_arguments: Any) -> None:
    """`_flush` knows when the socket takes no more."""


__all__ = [
    "BrokerRefused",
    "MqttAccess",
    "MqttSession",
    "Take",
    "Transport",
    "Will",
    "take_nothing",
]
