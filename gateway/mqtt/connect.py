# SPDX-License-Identifier: MIT
"""MQTT: paho on a socket that the event loop connected, so that nothing of it blocks the loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast

from paho.mqtt import client as paho
from paho.mqtt._packet import decode_publish
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.mqtt.access import MqttAccess, Will
from gateway.mqtt.stream import Inner, Stream

KEEPALIVE_S = 15
CONNECT_S = 10.0
_MAX_UNACKED = 1024  # messages on their way at QoS 1
_SESSION_S = 7 * 86_400  # how long a broker of MQTT 5 keeps a persistent session


class PahoClient(paho.Client):
    """paho on a connected socket of ours, its bytes through a `Stream`."""

    connected: socket.socket
    stream: Stream
    on_too_big: Callable[[int], None]
    max_packet_bytes: int
    on_arrival: Callable[[str, bytes, int, bool], None]  # topic, payload, packet id, retained

    def _create_socket_connection(self) -> socket.socket:
        return self.connected

    def _create_socket(self) -> Stream:
        inner = super()._create_socket()
        # A plain socket does all that is needed of an `Inner`.
        self.stream = Stream(cast("Inner", inner), self.on_too_big, self.max_packet_bytes)
        return self.stream

    def _handle_publish(self) -> MQTTErrorCode:
        """Decoded by paho, and to `on_arrival` at once: the message object, locks and topic matcher
        of paho's own way cost as much again as all the rest (docs/adr/0025)."""
        first, body = self._in_packet["command"], self._in_packet["packet"]
        found = decode_publish(first, body, MQTTProtocolVersion.MQTTv311)
        payload = found.payload
        if self._protocol == MQTTProtocolVersion.MQTTv5:
            if payload[:1] == b"\0":  # no properties, as is usual
                payload = payload[1:]
            else:
                payload = decode_publish(first, body, self._protocol).payload
        try:
            topic = found.topic.decode()
        except UnicodeDecodeError:
            topic = ""  # refused and counted where topics are checked
        self.on_arrival(topic, bytes(payload), found.mid, found.retain)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def limit_inflight(self, messages: int) -> None:
        """The Receive Maximum of a broker (MQTT 5, 3.2.2.3.3), which paho does not look at."""
        self._max_inflight_messages = min(self._max_inflight_messages, messages)


def make_client(access: MqttAccess, will: Will | None) -> PahoClient:
    """Configured, without its callbacks."""
    is_5 = access.version == 5
    client = PahoClient(
        CallbackAPIVersion.VERSION2,
        access.client_id,
        clean_session=None if is_5 else not access.persistent,
        protocol=MQTTProtocolVersion.MQTTv5 if is_5 else MQTTProtocolVersion.MQTTv311,
        transport=access.transport,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.connect_timeout = CONNECT_S
    client.max_packet_bytes = access.max_packet_bytes
    client.max_queued_messages = _MAX_UNACKED
    if access.transport == "websockets":
        client.ws_set_options(access.websocket_path)
    if access.tls is not None:
        client.tls_set_context(access.tls)
    if access.username is not None:
        client.username_pw_set(access.username, access.password)
    if will is not None:
        client.will_set(will.topic, will.payload, will.qos, will.retain)
    return client


async def connect(client: PahoClient, access: MqttAccess) -> None:
    """Connected by TCP, TLS and websocket, and CONNECT queued. Raises OSError."""
    try:
        client.connected = await _tcp(access)
        await _shake_hands(client, access)
    except ConnectionResetError as error:  # in the middle of the handshake
        raise ConnectionAbortedError(str(error)) from None
    except ValueError as error:  # a host name that cannot be one
        if isinstance(error, OSError):
            raise
        raise OSError(str(error)) from None


async def _tcp(access: MqttAccess) -> socket.socket:
    """Name service and TCP, by the loop."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(access.host, access.port, type=socket.SOCK_STREAM)
    problem: OSError = ConnectionError("the name has no address")
    for family, kind, protocol, _name, address in found:
        connection = socket.socket(family, kind, protocol)
        connection.setblocking(False)
        try:
            await loop.sock_connect(connection, address)
        except OSError as error:
            connection.close()
            problem = error
        except BaseException:
            connection.close()
            raise
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    raise problem


async def _shake_hands(client: PahoClient, access: MqttAccess) -> None:
    """The handshakes, in a thread: paho blocks in them. When they are not waited for any more, the
    connection is cut, so the thread ends."""
    client.connected.settimeout(CONNECT_S)
    cut = client.connected.dup()  # TLS takes the other one over
    options = _options(access)
    loop = asyncio.get_running_loop()
    work = loop.run_in_executor(
        None, lambda: client.connect(access.host, access.port, KEEPALIVE_S, **options)
    )
    try:
        await asyncio.shield(work)
    except BaseException:
        try:
            cut.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        await asyncio.wait({work})
        client.connected.close()
        if work.exception() is None:
            client.stream.close()
        raise
    finally:
        cut.close()


def _options(access: MqttAccess) -> dict[str, Any]:
    if access.version != 5:
        return {}
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
    properties.SessionExpiryInterval = _SESSION_S if access.persistent else 0
    return {"clean_start": not access.persistent, "properties": properties}
