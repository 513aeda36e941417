# SPDX-License-Identifier: MIT
# Link layer, simulated: one TCP connection and the MQTT 3.1.1 broker at its far end (numbers
# below are sections of the OASIS standard). Bytes take a fixed time each way; loss is seeded. A
# far end may also lie outside (simoutside).

import simclock
import simgateway
import simhardware

_CONNECT = 1
_PUBLISH = 3
_PUBACK = 4
_SUBSCRIBE = 8
_PINGREQ = 12
_DISCONNECT = 14

_PACKET_MAX = 2048

_lossy = 0  # state of the loss generator
_lines = []  # those that stand
_is_watching = False


def _delay_us():
    return simhardware.settings.link_delay_ms * 1000


def _lost():
    # Deterministic: a 16-bit linear congruential step per uplink.
    global _lossy
    if not _lossy:
        _lossy = simhardware.settings.seed * 2 + 1
    _lossy = (_lossy * 25173 + 13849) & 0xFFFF
    return (_lossy >> 4) % 100 < simhardware.settings.loss_pct


def open_line(socket):
    _watch()
    if simhardware.settings.outside:
        import simoutside

        return Line(socket, simoutside.FarEnd)
    return Line(socket, Broker)


def _watch():
    # Once for all lines: events of each line would stay on the node's heap.
    global _is_watching
    if _is_watching:
        return
    _is_watching = True
    for begin_us, _ in simhardware.settings.outages_us:
        if begin_us > simclock.now():
            simclock.at(begin_us, _outage)
    for begin_us, _ in simhardware.settings.faults_us["half_open"]:
        if begin_us > simclock.now():
            simclock.at(begin_us, _forget)


def _outage(_t_us):
    for line in list(_lines):
        line.cut()


def _forget(_t_us):
    for line in _lines:
        line.is_half_open = True


class Line:
    def __init__(self, socket, far_end):
        self.is_open = False  # the TCP handshake is done
        self._socket = socket
        self._broker = far_end(self)
        self.is_half_open = False  # no data passes any more, and neither end is notified
        _lines.append(self)
        simclock.at(simclock.now() + 2 * _delay_us(), self._opened)

    def _opened(self, _t_us):
        if self._passes():
            self.is_open = True
            simclock.dirty = True

    def _passes(self):
        # Bytes that a dead radio dropped are not repeated: the connection stays half-open.
        if simhardware.radio_is_dead(simclock.now()):
            self.is_half_open = True
        return not self.is_half_open

    def to_broker(self, data):
        if not self._passes():
            return

        def arrive(_t_us):
            if self._socket is not None:
                self._broker.receive(data)

        simclock.at(simclock.now() + _delay_us(), arrive)

    def to_node(self, data):
        if not self._passes():
            return

        def arrive(_t_us):
            if self._socket is not None:
                self._socket.arrived(data)

        simclock.at(simclock.now() + _delay_us(), arrive)

    def ended(self):
        # The far end has closed: behind what it sent before.
        def arrive(_t_us):
            self.cut()

        simclock.at(simclock.now() + _delay_us(), arrive)

    def cut(self):
        # The connection ends, for both ends at once unless it is half-open.
        if self._socket is not None:
            if self._passes():
                self._socket.broken()
            self._hung_up(None)

    def hang_up(self):
        # The node closed its socket. What it wrote before is still on its way.
        if self._socket is not None and self._passes():
            simclock.at(simclock.now() + _delay_us(), self._hung_up)
        elif self in _lines:
            _lines.remove(self)

    def _hung_up(self, _t_us):
        self._socket = None
        self._broker.lost()
        if self in _lines:
            _lines.remove(self)


class Broker:
    # Serves one connection; one node is all there is.

    def __init__(self, line):
        self._line = line
        self._pending = b""
        self._client = None
        self._will = None
        self._topics = []
        self._keepalive_us = 0
        self._received_us = 0
        self._packet_id = 0

    def receive(self, data):
        self._received_us = simclock.now()
        self._pending += data
        while True:
            packet = self._take()
            if packet is None:
                return
            if not self._handle(packet[0], packet[1]):
                self._line.cut()
                return

    def lost(self):
        # 3.1.2.5: a connection that ends without DISCONNECT publishes its Will.
        if self._will is not None:
            topic, payload = self._will
            self._will = None
            simgateway.uplink(topic, payload, None)

    def publish(self, topic, payload, qos=0):
        # Down to the node, if it asked for the topic.
        if topic not in self._topics:
            return
        head = len(topic).to_bytes(2, "big") + topic.encode()
        if qos:
            self._packet_id = self._packet_id % 65535 + 1
            head += self._packet_id.to_bytes(2, "big")
        self._send(_PUBLISH << 4 | qos << 1, head + payload)

    def _take(self):
        # The next whole packet as (first byte, body). 2.2.3: the length has up to four bytes.
        data = self._pending
        size = at = 0
        while True:
            at += 1
            if at >= len(data):
                return None
            size |= (data[at] & 0x7F) << 7 * (at - 1)
            if not data[at] & 0x80:
                break
            if at == 4:
                return (0, b"")
        if size > _PACKET_MAX:
            return (0, b"")
        at += 1
        if len(data) < at + size:
            return None
        self._pending = data[at + size :]
        return (data[0], data[at : at + size])

    def _send(self, first, body):
        size = len(body)
        length = bytes((size,)) if size < 128 else bytes((size & 0x7F | 0x80, size >> 7))
        self._line.to_node(bytes((first,)) + length + body)

    def _handle(self, first, body):
        # False for anything that makes a broker close the connection.
        kind = first >> 4
        if self._client is None:
            return kind == _CONNECT and self._connect(body)
        if kind == _PUBLISH:
            return self._uplink(first, body)
        if kind == _SUBSCRIBE and first & 15 == 2:
            return self._subscribe(body)
        if kind == _PINGREQ:
            self._send(0xD0, b"")
            return True
        if kind == _DISCONNECT:
            self._will = None
            return False
        return kind == _PUBACK

    def _connect(self, body):
        if body[:7] != b"\x00\x04MQTT\x04":
            return False
        flags = body[7]
        self._keepalive_us = int.from_bytes(body[8:10], "big") * 1_500_000  # 3.1.2.10
        fields = _Fields(body, 10)
        client = fields.take()
        will = None
        if flags & 4:
            will = (fields.take().decode(), fields.take())
        user = fields.take() if flags & 0x80 else b""
        password = fields.take() if flags & 0x40 else b""
        if not fields.whole or not simgateway.allowed(client, user, password):
            self._send(0x20, b"\x00\x05")  # 3.2.2.3: not authorised
            return fields.whole
        self._client = client
        self._will = will
        self._send(0x20, b"\x00\x00")
        if self._keepalive_us:
            simclock.at(simclock.now() + self._keepalive_us, self._silence)
        return True

    def _silence(self, t_us):
        if self._client is None:
            return None
        if t_us - self._received_us >= self._keepalive_us:
            self._line.cut()
            return None
        return self._received_us + self._keepalive_us

    def _subscribe(self, body):
        fields = _Fields(body, 2)
        granted = bytearray(body[:2])
        while fields.more():
            topic = fields.take().decode()
            granted.append(min(fields.byte(), 1))
            if fields.whole:
                self._topics.append(topic)
        if not fields.whole or len(granted) == 2:
            return False
        self._send(0x90, granted)
        return True

    def _uplink(self, first, body):
        fields = _Fields(body, 0)
        topic = fields.take().decode()
        packet_id = b""
        if first & 6:
            packet_id = fields.raw(2)
        payload = fields.rest()
        if not fields.whole:
            return False
        if _lost():
            # In half of the cases the message arrived and only the acknowledgement was lost.
            if _lossy & 0x8000:
                simgateway.uplink(topic, payload, self)
            return False
        if packet_id:
            self._send(_PUBACK << 4, packet_id)
        simgateway.uplink(topic, payload, self)
        return True


class _Fields:
    # Length-prefixed fields of a packet (1.5.3); `whole` turns False when one is cut short.

    def __init__(self, body, at):
        self.whole = True
        self._body = body
        self._at = at

    def more(self):
        return self.whole and self._at < len(self._body)

    def raw(self, size):
        data = self._body[self._at : self._at + size]
        self._at += size
        if len(data) != size:
            self.whole = False
        return data

    def byte(self):
        data = self.raw(1)
        return data[0] if data else 0

    def take(self):
        size = self.raw(2)
        return self.raw(int.from_bytes(size, "big")) if self.whole else b""

    def rest(self):
        return self._body[self._at :]
