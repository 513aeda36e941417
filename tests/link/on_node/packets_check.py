# SPDX-License-Identifier: MIT
# The MQTT codec alone: packets as the specification shows them, then hostile ones. Prints "ok".

import asyncio
import random

from ugs.link import packets


class Reader:
    def __init__(self, data):
        self.data = data

    async def readexactly(self, size):
        if len(self.data) < size:
            raise EOFError
        out, self.data = self.data[:size], self.data[size:]
        return out


def read(data, body_max=1608):
    return asyncio.run(packets.read_packet(Reader(data), body_max))


def refused(call, *args):
    try:
        call(*args)
    except packets.MqttError:
        return True
    return False


def check_written():
    # Laid out by hand from mqtt-v3.1.1 sections 3.1, 3.3, 3.8 and 3.4.
    expected = (
        b"\x10\x1d\x00\x04MQTT\x04\xce\x00\x1e\x00\x01n\x00\x01w\x00\x02xy\x00\x01u\x00\x04pass"
    )
    assert packets.connect("n", "u", "pass", "w", b"xy", 30) == expected
    assert packets.publish("a/b", b"hi", 10) == b"\x32\x09\x00\x03a/b\x00\x0ahi"
    assert packets.subscribe("a/b", 10) == b"\x82\x08\x00\x0a\x00\x03a/b\x01"
    assert packets.puback(258) == b"\x40\x02\x01\x02"
    long = packets.publish("t", b"x" * 200, 1)
    assert long[:3] == b"\x32\xcd\x01" and len(long) == 3 + 205


def check_read():
    assert read(b"\x20\x02\x00\x00") == (0x20, b"\x00\x00")
    assert read(b"\xd0\x00") == (0xD0, b"")
    first, body = read(b"\x32\x09\x00\x03a/b\x00\x0ahi")
    assert packets.parse_publish(first, body) == (b"a/b", b"hi", 10)
    first, body = read(b"\x30\x07\x00\x03a/bhi")
    assert packets.parse_publish(first, body) == (b"a/b", b"hi", 0)
    packets.check_connack(0x20, b"\x00\x00")
    packets.check_suback(b"\x00\x0a\x01", 10)


def check_hostile():
    for data in (
        b"\x00\x00",  # reserved
        b"\x10\x00",  # CONNECT, from a broker
        b"\xf0\x00",
        b"\x41\x02\x00\x01",  # PUBACK with flags
        b"\x30\xff\xff\xff\xff\x01",  # five length bytes
        b"\x30\xff\xff\xff\x7f",  # 256 MB
        b"\x30\xc9\x0c",  # one byte over the limit
    ):
        assert refused(read, data), data
    for first, body in (
        (0x34, b"\x00\x01t\x00\x01"),  # QoS 2
        (0x36, b"\x00\x01t\x00\x01"),  # QoS 3
        (0x32, b"\x00\x01t\x00\x00"),  # packet id 0
        (0x32, b"\x00\x01t"),  # no packet id
        (0x30, b"\x00\x09t"),  # topic beyond the end
        (0x30, b"\x00"),
    ):
        assert refused(packets.parse_publish, first, body), body
    for body in (b"\x00\x05", b"\x02\x00", b"\x00", b"\x00\x63"):
        assert refused(packets.check_connack, 0x20, body), body
    for body in (b"\x00\x0a\x80", b"\x00\x0b\x01", b"\x00\x0a"):
        assert refused(packets.check_suback, body, 10), body


def check_noise():
    random.seed(5)
    refusals = 0
    for _ in range(3000):
        size = random.getrandbits(5)
        data = bytes(random.getrandbits(8) for _ in range(size))
        if random.getrandbits(1):
            data = b"\x32" + bytes((max(0, size - 2),)) + data
        try:
            first, body = read(data)
            if first & 0xF0 == packets.PUBLISH:
                packets.parse_publish(first, body)
        except (packets.MqttError, EOFError):
            refusals += 1
    assert refusals > 1000


check_written()
check_read()
check_hostile()
check_noise()
print("ok")
