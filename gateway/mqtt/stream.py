# SPDX-License-Identifier: MIT
"""MQTT: the bytes between paho and a socket: buffered, whole packets only, bounded.

paho reads a packet in three calls of `recv` and sends each acknowledgement by itself; here both are
memory, and the socket sees one read and one write per turn of the event loop. paho would also keep
a packet of 256 MB: here one that is too big is passed over.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable

from paho.mqtt.client import _WebsocketWrapper

_READ = 65_536
_MAX_FRAME = 1 << 20  # bytes of one websocket frame, which paho keeps until it ends
_PUBLISH = 3
_CLOSED = object()

Inner = ssl.SSLSocket | _WebsocketWrapper  # or a plain socket, which has no `pending`


class StreamError(ConnectionError):
    """What a broker must not send; the connection ends."""


class Stream:
    """A `SocketLike` of paho. `on_too_big` gets the packet id (0 at QoS 0) of what was passed over.

    While `paused`, nothing can be received. `unsent` bytes wait for `flush`.
    """

    def __init__(
        self, inner: Inner, on_too_big: Callable[[int], None], max_packet_bytes: int
    ) -> None:
        self.paused = False
        self._inner = inner
        self._on_too_big = on_too_big
        self._max_packet_bytes = max_packet_bytes
        self._ready = b""  # whole packets for paho
        self._at = 0
        self._rest = b""  # the start of a packet
        self._skip = 0  # bytes still to come of a packet that is too big
        self._out = bytearray()
        self._ended = False

    @property
    def unsent(self) -> int:
        """Bytes that the socket has not taken."""
        return len(self._out)

    @property
    def readable(self) -> bool:
        """Whether `recv` has something, the end of the stream included."""
        return not self.paused and (self._at < len(self._ready) or self._ended)

    def recv(self, size: int) -> bytes:
        """Of whole packets. Raises BlockingIOError when there is none."""
        at = self._at
        part = self._ready[at : at + size]
        if self.paused or (not part and not self._ended):
            raise BlockingIOError
        self._at = at + len(part)
        return part

    def send(self, data: bytes | bytearray) -> int:
        """Keep for `flush`; always all of it."""
        self._out += data
        return len(data)

    def fill(self) -> bool:
        """Read what the socket has, a portion at most; True when more is known to wait there.

        Raises OSError, StreamError among it.
        """
        data = self._read()
        if data is _CLOSED:
            self._ended = True
            return False
        assert isinstance(data, bytes)
        if data:
            self._sort(data)
        return self._pending() > 0

    def flush(self) -> bool:
        """Write; False when the socket takes no more now. Raises OSError."""
        while self._out:
            try:
                sent = self._inner.send(self._out[:_READ])
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return False
            if not sent:  # a websocket frame that went out in part: the rest comes first next time
                return False
            del self._out[:sent]
        return True

    def close(self) -> None:
        """Send what can be sent at once, and close."""
        try:
            self.flush()
        except OSError:
            pass
        self._inner.close()

    def fileno(self) -> int:
        """Of the socket."""
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:
        """Of the socket."""
        self._inner.setblocking(flag)

    def _pending(self) -> int:
        pending = getattr(self._inner, "pending", None)  # bytes that select() knows nothing of
        return pending() if pending is not None else 0

    def _read(self) -> bytes | object:
        while True:
            try:
                return self._inner.recv(_READ) or _CLOSED
            except (BlockingIOError, ssl.SSLWantReadError):
                # A websocket frame that is not whole, or a control frame; more of it may be here.
                if isinstance(self._inner, _WebsocketWrapper):
                    if len(self._inner._readbuffer) > _MAX_FRAME:
                        raise StreamError("websocket frame too big") from None
                    if self._pending():
                        continue
                return b""
            except ssl.SSLWantWriteError:
                return b""

    def _sort(self, data: bytes) -> None:
        """MQTT 3.1.1, 2.2: whole packets to `_ready`, the start of the next to `_rest`."""
        if self._rest:
            data = self._rest + data
        end, start, at = len(data), 0, 0
        whole = [self._ready[self._at :]]
        if self._skip:
            start = at = min(self._skip, end)
            self._skip -= at
        while end - at >= 2:
            size, body = _length(data, at, end)
            if size < 0:
                break  # the length is not all here
            first = data[at]
            if first >> 4 == _PUBLISH and first & 4:
                raise StreamError("publish at a quality of service that was not asked for")
            stop = body + size
            if size > self._max_packet_bytes:
                packet_id = _too_big(first, data, body, end)
                if packet_id is None:
                    break  # its head is not all here
                whole.append(data[start:at])
                self._skip = max(0, stop - end)
                start = at = min(stop, end)
                self._on_too_big(packet_id)
                continue
            if stop > end:
                break
            at = stop
        whole.append(data[start:at])
        self._ready, self._at, self._rest = b"".join(whole), 0, data[at:]


def _length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """(remaining length, where the body starts) of the packet at `at`; -1 when not all is here."""
    size, body, shift = 0, at + 1, 0
    while body < end:
        byte = data[body]
        body += 1
        size |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return size, body
        shift += 7
        if shift > 21:
            raise StreamError("bad length")
    return -1, body


def _too_big(first: int, data: bytes, body: int, end: int) -> int | None:
    """The packet id of a PUBLISH that is passed over (0 at QoS 0); None when it is not here yet."""
    if first >> 4 != _PUBLISH:
        raise StreamError("packet too big")
    if not first & 2:
        return 0
    if end - body < 2:
        return None
    at = body + 2 + (data[body] << 8 | data[body + 1])
    return data[at] << 8 | data[at + 1] if at + 2 <= end else None
