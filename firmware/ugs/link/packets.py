# SPDX-License-Identifier: MIT
# link: MQTT 3.1.1 packets (OASIS mqtt-v3.1.1, sections below), only those a node sends or receives.

from micropython import const

CONNACK = const(0x20)
PUBLISH = const(0x30)
PUBACK = const(0x40)
SUBACK = const(0x90)
PINGRESP = const(0xD0)
PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"

# Connect flags, section 3.1.2.3: user name, password, Will QoS 1, Will, clean session.
_CONNECT_FLAGS = const(0xCE)
# Texts of the CONNACK return codes, table 3.1.
_REFUSALS = (
    "",
    "protocol version",
    "client identifier",
    "server unavailable",
    "user name or password",
    "not authorised",
)


class MqttError(Exception):
    # The peer violated the protocol or rejected the node; the connection is unusable.
    pass


def _packet(first, parts):
    size = sum([len(part) for part in parts])
    head = bytearray((first,))
    while True:
        head.append(size & 0x7F | (0x80 if size > 0x7F else 0))
        size >>= 7
        if not size:
            return b"".join([bytes(head)] + parts)


def _text(data):
    if isinstance(data, str):
        data = data.encode()
    return len(data).to_bytes(2, "big") + data


def connect(client_id, user, password, will_topic, will_payload, keepalive_s):
    return _packet(
        0x10,
        [
            b"\x00\x04MQTT\x04",
            bytes((_CONNECT_FLAGS,)),
            keepalive_s.to_bytes(2, "big"),
            _text(client_id),
            _text(will_topic),
            _text(will_payload),
            _text(user),
            _text(password),
        ],
    )


def publish(topic, payload, packet_id):
    # QoS 1, section 3.3. A new connection starts a clean session, so no packet is ever a DUP.
    return _packet(0x32, [_text(topic), packet_id.to_bytes(2, "big"), payload])


def subscribe(topic, packet_id):
    return _packet(0x82, [packet_id.to_bytes(2, "big"), _text(topic), b"\x01"])


def puback(packet_id):
    return _packet(0x40, [packet_id.to_bytes(2, "big")])


def check_connack(first, body):
    if first != CONNACK or len(body) != 2 or body[0] & 0xFE:
        raise MqttError("no CONNACK")
    if body[1]:
        reason = _REFUSALS[body[1]] if body[1] < len(_REFUSALS) else str(body[1])
        raise MqttError("broker refuses: " + reason)


def check_suback(body, packet_id):
    if len(body) != 3 or body[:2] != packet_id.to_bytes(2, "big"):
        raise MqttError("bad SUBACK")
    if body[2] > 1:
        raise MqttError("broker refuses the subscription")


def parse_publish(first, body):
    # (topic, payload, packet id or 0); section 3.3. A node subscribes with QoS 1.
    qos = first >> 1 & 3
    if qos > 1 or len(body) < 2:
        raise MqttError("bad PUBLISH")
    at = 2 + int.from_bytes(body[:2], "big")
    topic = body[2:at]
    packet_id = 0
    if qos:
        packet_id = int.from_bytes(body[at : at + 2], "big")
        at += 2
        if not packet_id:
            raise MqttError("bad PUBLISH")
    if at > len(body):
        raise MqttError("bad PUBLISH")
    return topic, body[at:], packet_id


async def read_packet(reader, body_max):
    # (first byte, body). Raises EOFError or OSError when the stream ends, MqttError for a packet
    # that no broker sends to a node, before its body is read.
    first = (await reader.readexactly(1))[0]
    kind = first & 0xF0
    if kind not in (CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP) or (kind != PUBLISH and first & 15):
        raise MqttError("unexpected packet 0x%02x" % first)
    size = 0
    for shift in (0, 7, 14, 21):
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
    else:
        raise MqttError("bad packet length")
    if size > body_max:
        raise MqttError("packet of %d bytes" % size)
    return first, await reader.readexactly(size) if size else b""
