# SPDX-License-Identifier: MIT
"""Workbench, bench: nodes as MQTT clients at QoS 1, on plain sockets so that the load stays cheap.

Packets are written by hand from MQTT 3.1.1 (OASIS, chapters 2 and 3): the load shares no code with
the brokers that it measures.
"""

from __future__ import annotations

import select
import socket
from collections import deque

from tools.bench.load.messages import node_keys, node_names, uplink_topic

_CONNECT, _PUBLISH_QOS1 = 0x10, 0x32  # 2.2: first bytes
_ACK_BYTES = 4  # of a CONNACK and of a PUBACK (3.2, 3.4)
_AT_ONCE = 48  # connections being made: the gateway's own broker admits 64 new ones at a time
_KEEPALIVE_S = 300
_TIMEOUT_S = 20.0
_READ_BYTES = 1 << 16


class Node:
    """One connection. `unacked` counts messages that the broker has not acknowledged."""

    def __init__(self, name: str, password: str) -> None:
        self.name = name
        self.closed = False
        self.socket = socket.socket()
        self._password = password
        self._sent = 0
        self._ack_bytes = 0
        self._last_id = 0
        topic = uplink_topic(name).encode()
        self._head = len(topic).to_bytes(2, "big") + topic

    @property
    def unacked(self) -> int:
        """Messages on the way."""
        return self._sent - self._ack_bytes // _ACK_BYTES

    def start_connect(self, port: int) -> None:
        """Send the CONNECT. Raises OSError."""
        self.socket.settimeout(_TIMEOUT_S)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name, password = self.name.encode(), self._password.encode()
        fields = b"".join(len(part).to_bytes(2, "big") + part for part in (name, name, password))
        head = b"\x00\x04MQTT\x04\xc2" + _KEEPALIVE_S.to_bytes(2, "big")
        self.socket.sendall(_packet(_CONNECT, head + fields))

    def await_connack(self) -> None:
        """Return once the broker has accepted the node. Raises OSError."""
        answer = self.socket.recv(_ACK_BYTES, socket.MSG_WAITALL)
        if len(answer) < _ACK_BYTES or answer[3] != 0:
            raise OSError(f"{self.name}: the broker refused the connection: {answer.hex()}")
        self.socket.settimeout(None)

    def encode(self, payload: bytes) -> bytes:
        """The PUBLISH of one message."""
        self._last_id = self._last_id % 0xFFFF + 1
        return _packet(_PUBLISH_QOS1, self._head + self._last_id.to_bytes(2, "big") + payload)

    def write(self, data: bytes, messages: int) -> None:
        """Send now. Raises OSError."""
        self.socket.sendall(data)
        self._sent += messages

    def read_acks(self) -> int:
        """Count what has been acknowledged, without waiting; how many bytes came."""
        try:
            data = self.socket.recv(_READ_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except ConnectionError:
            data = b""
        self.closed = not data
        self._ack_bytes += len(data)
        return len(data)


def _packet(first: int, body: bytes) -> bytes:
    """2.2.3: one or two length bytes are enough here."""
    size = len(body)
    length = bytes((size,)) if size < 0x80 else bytes((size & 0x7F | 0x80, size >> 7))
    return bytes((first,)) + length + body


class Crowd:
    """Every node of the site, connected. Raises OSError."""

    def __init__(self, count: int, port: int) -> None:
        self.nodes = [
            Node(name, keys.mqtt_password)
            for name, keys in zip(node_names(count), node_keys(count), strict=True)
        ]
        self._poller = select.epoll()
        self._sent = 0
        self._ack_bytes = 0
        waiting: deque[Node] = deque()
        for node in self.nodes:
            node.start_connect(port)
            waiting.append(node)
            if len(waiting) >= _AT_ONCE:
                waiting.popleft().await_connack()
        for node in waiting:
            node.await_connack()
        self._by_fd = {node.socket.fileno(): node for node in self.nodes}
        for fd in self._by_fd:
            self._poller.register(fd, select.EPOLLIN)

    def write(self, index: int, data: bytes, messages: int) -> None:
        """Send now. Raises OSError."""
        self.nodes[index].write(data, messages)
        self._sent += messages

    def read_acks(self, wait_s: float = 0) -> list[Node]:
        """Nodes that received acknowledgements, waiting up to `wait_s` for the first."""
        ready = [self._by_fd[fd] for fd, _ in self._poller.poll(wait_s, len(self._by_fd))]
        for node in ready:
            self._ack_bytes += node.read_acks()
            if node.closed:
                self._poller.unregister(node.socket.fileno())
        return ready

    @property
    def unacked(self) -> int:
        """Messages of all nodes on the way."""
        return self._sent - self._ack_bytes // _ACK_BYTES

    def close(self) -> None:
        """Close every connection."""
        for node in self.nodes:
            node.socket.close()
