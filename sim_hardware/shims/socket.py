# SPDX-License-Identifier: MIT
# Link layer, simulated: `socket`. Real mode is the host's own; in virtual mode every connection
# goes to the simulated broker in this process, through an ordinary asyncio stream.

import io

import simcharge
import simclock
import simhardware
import usocket
from usocket import *


def _is_address(host):
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdigit() for part in parts)


def getaddrinfo(host, port, *hints):
    # A name costs a look-up. Without an answer the port waits for all its tries, and no task runs.
    if not _is_address(host):
        is_away = simhardware.names_are_away(simclock.now())
        simcharge.lookup(is_away)
        if is_away:
            raise OSError(simcharge.port("lookup_error"))
    if not simclock.virtual:
        return usocket.getaddrinfo(host, port, *hints)
    return [(AF_INET, SOCK_STREAM, 0, "", (host, port))]


if simclock.virtual:
    import simlink
    import simnames

    _POLL = 3  # MP_STREAM_POLL of py/stream.h
    _CLOSE = 4
    _IN = 1
    _OUT = 4
    _ERR = 8
    _HUP = 16

    _EBADF = 9
    _EAGAIN = 11
    _ECONNRESET = 104
    _EHOSTUNREACH = 113

    class socket(io.IOBase):
        def __init__(self, *_kind):
            self._line = None
            self._received = b""
            self._failed = False
            self._datagrams = []

        def setblocking(self, _flag):
            pass  # only used through asyncio, which never blocks

        def settimeout(self, _seconds):
            pass

        def setsockopt(self, *_option):
            pass

        def connect(self, _address):
            if simhardware.radio_is_out(simclock.now()):
                raise OSError(_EHOSTUNREACH)
            self._line = simlink.open_line(self)

        # Datagrams: only a name server answers any.

        def bind(self, _place):
            pass

        def sendto(self, data, place):
            if simhardware.radio_is_out(simclock.now()):
                raise OSError(_EHOSTUNREACH)
            simnames.ask(bytes(data), place, self._answered)
            return len(data)

        def _answered(self, data, place):
            self._datagrams.append((data, place))

        def recvfrom(self, _size):
            if not self._datagrams:
                raise OSError(_EAGAIN)
            return self._datagrams.pop(0)

        # What the far end does; simclock calls these at the instant it arrives.

        def arrived(self, data):
            self._received += data
            simclock.dirty = True

        def broken(self):
            self._failed = True
            simclock.dirty = True

        # What the node does.

        def ioctl(self, request, flags):
            if request == _POLL:
                ready = 0
                if self._received:
                    ready |= _IN
                if self._line is not None and self._line.is_open:
                    ready |= _OUT
                if self._failed:
                    ready |= _IN | _ERR | _HUP
                return ready & (flags | _ERR | _HUP)
            if request == _CLOSE:
                self.close()
                return 0
            return -22  # EINVAL

        def write(self, data):
            if self._failed:
                raise OSError(_ECONNRESET)
            if self._line is None:
                raise OSError(_EBADF)  # closed, or never connected
            self._line.to_broker(bytes(data))
            return len(data)

        send = write

        def read(self, size=-1):
            if not self._received:
                return b"" if self._failed else None
            if size < 0 or size >= len(self._received):
                data, self._received = self._received, b""
                return data
            data = self._received[:size]
            self._received = self._received[size:]
            return data

        def recv(self, size):
            data = self.read(size)
            if data is None:
                raise OSError(_EAGAIN)
            return data

        def readinto(self, buffer, size=-1):
            data = self.read(len(buffer) if size < 0 else size)
            if data is None:
                return None
            buffer[: len(data)] = data
            return len(data)

        def readline(self):
            end = self._received.find(b"\n") + 1
            if not end and not self._failed:
                return None
            return self.read(end or -1)

        def close(self):
            if self._line is not None:
                self._line.hang_up()
                self._line = None
