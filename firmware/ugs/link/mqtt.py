# SPDX-License-Identifier: MIT
# link: one MQTT connection, from open to broken. The caller decides when to try again.

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from ugs.link import packets, tcp
from ugs.link.packets import MqttError

KEEPALIVE_S = const(30)
_OPEN_S = const(10)
# The longest wait inside a packet, for an answer, and for a peer that does not accept our bytes.
_STALL_S = const(10)
_PING_AFTER_MS = const(15_000)
_INFLIGHT = const(8)
# topic (64) + sealed message (1536) + lengths and identifier
_BODY_MAX = const(1608)


class Connection:
    # on_message(topic, payload) is called for each PUBLISH and must not raise or wait. A broker
    # that is gone without a DISCONNECT is noticed within 30 s: pings, sent after 15 s of silence,
    # stay unanswered (MQTT 3.1.1 section 3.1.2.10), or an acknowledgement is missing for 10 s.
    # Every method raises OSError, EOFError, MqttError or asyncio.TimeoutError when the connection
    # is over.

    def __init__(self, on_message):
        self._on_message = on_message
        self._socket = None
        self._stream = None
        self._write_lock = asyncio.Lock()
        # packet id -> ticks_ms of each PUBLISH without a PUBACK
        self._unacked = {}
        self._room = asyncio.Event()
        self._room.set()
        self._packet_id = 0
        self._sent_tick = 0

    async def open(self, address, port, connect_packet, topic):
        # Connects and subscribes to `topic`; returns once the broker has accepted both.
        self._socket = await asyncio.wait_for(tcp.connect(address, port), _OPEN_S)
        self._stream = asyncio.StreamReader(self._socket)
        await self._write(connect_packet)
        first, body = await asyncio.wait_for(packets.read_packet(self._stream, 2), _STALL_S)
        packets.check_connack(first, body)
        await asyncio.wait_for(self._subscribe(topic), _STALL_S)

    async def _subscribe(self, topic):
        packet_id = self._next_id()
        await self._write(packets.subscribe(topic, packet_id))
        while True:
            first, body = await packets.read_packet(self._stream, _BODY_MAX)
            if first == packets.SUBACK:
                packets.check_suback(body, packet_id)
                return
            await self._take(first, body)

    async def publish(self, topic, payload):
        # Returns when the bytes are sent; waits while 8 messages lack their PUBACK.
        while len(self._unacked) >= _INFLIGHT:
            self._room.clear()
            await asyncio.wait_for(self._room.wait(), _STALL_S)
        packet_id = self._next_id()
        self._unacked[packet_id] = ticks_ms()
        await self._write(packets.publish(topic, payload, packet_id))

    async def read(self):
        # Reads packets until the connection breaks. A peer that does not answer a ping within the
        # keep-alive time is gone.
        while True:
            first, body = await asyncio.wait_for(
                packets.read_packet(self._stream, _BODY_MAX), KEEPALIVE_S
            )
            await self._take(first, body)

    async def keep_alive(self):
        # Pings while nothing else is sent, and ends the connection if the broker omits a PUBACK.
        while True:
            await asyncio.sleep_ms(1000)
            now = ticks_ms()
            for tick in self._unacked.values():
                if ticks_diff(now, tick) > _STALL_S * 1000:
                    raise MqttError("no PUBACK")
            if ticks_diff(now, self._sent_tick) >= _PING_AFTER_MS:
                await self._write(packets.PINGREQ)

    async def close(self, disconnect=False):
        if self._socket is None:
            return
        try:
            if disconnect:
                await self._write(packets.DISCONNECT)
        except (OSError, EOFError, asyncio.TimeoutError):
            pass
        finally:
            self._socket.close()
            self._socket = self._stream = None

    async def _take(self, first, body):
        kind = first & 0xF0
        if kind == packets.PUBLISH:
            topic, payload, packet_id = packets.parse_publish(first, body)
            self._on_message(topic, payload)
            if packet_id:
                await self._write(packets.puback(packet_id))
        elif kind == packets.PUBACK:
            if len(body) != 2 or self._unacked.pop(int.from_bytes(body, "big"), None) is None:
                raise MqttError("PUBACK for nothing")
            self._room.set()
        elif kind != packets.PINGRESP or body:
            raise MqttError("unexpected packet 0x%02x" % first)

    async def _write(self, data):
        await asyncio.wait_for(self._write_all(data), _STALL_S)

    async def _write_all(self, data):
        # One writer at a time: two drains of one stream would send the same bytes twice.
        async with self._write_lock:
            self._stream.write(data)
            await self._stream.drain()
            self._sent_tick = ticks_ms()

    def _next_id(self):
        self._packet_id = self._packet_id % 65535 + 1
        return self._packet_id
