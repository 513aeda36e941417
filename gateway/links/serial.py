# SPDX-License-Identifier: MIT
"""Links: a serial line to a node or a radio concentrator, unplugged and replugged at will."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter

import serial

from gateway.links.frames import FrameReader, encode_frame
from gateway.ports.link import Arrival, Clock, Offer

_LOG = logging.getLogger(__name__)
_RETRY_S = 0.5
_MAX_READ = 4096
_MAX_OUT = 64 * 1024  # bytes waiting for a slow line; beyond it the node asks again


class SerialLink:
    """Frames in both directions; there is no acknowledgement but the receipt."""

    def __init__(self, port: str, baud: int, offer: Offer, clock: Clock) -> None:
        self.name = f"serial {port}"
        self.connected = False
        self.counters: Counter[str] = Counter()
        self._port = port
        self._baud = baud
        self._offer = offer
        self._clock = clock
        self._frames = FrameReader(self.counters)
        self._line: serial.Serial | None = None
        self._out = bytearray()
        self._gone = asyncio.Event()

    async def run(self) -> None:
        """Open the line, carry, open it again when it comes back, until cancelled."""
        logged = ""
        while True:
            try:
                # Exclusive, or a second program would take every other byte.
                self._line = serial.Serial(
                    self._port, self._baud, timeout=0, write_timeout=0, exclusive=True
                )
            except (OSError, ValueError) as error:
                if str(error) != logged:
                    # Once: it may be plugged in later, or be misspelt in the configuration.
                    logged = str(error)
                    _LOG.warning("waiting for the line link=%r problem=%r", self.name, logged)
                await asyncio.sleep(_RETRY_S)
                continue
            logged = ""
            await self._carry(self._line)
            self.counters["unplugged"] += 1
            _LOG.warning("lost the line link=%r", self.name)
            await asyncio.sleep(_RETRY_S)

    def send(self, topic: str, payload: bytes) -> bool:
        """Queue a frame; False when the line is away or slow."""
        frame = encode_frame(topic, payload)
        if self._line is None or len(self._out) + len(frame) > _MAX_OUT:
            self.counters["down_dropped"] += 1
            return False
        self._out += frame
        self.counters["down"] += 1
        self._write()
        return True

    async def _carry(self, line: serial.Serial) -> None:
        loop = asyncio.get_running_loop()
        self._gone.clear()
        self._frames.reset()
        self._out.clear()
        self.connected = True
        self.counters["connects"] += 1
        loop.add_reader(line.fileno(), self._read)
        try:
            await self._gone.wait()
        finally:
            self.connected = False
            self._line = None
            loop.remove_reader(line.fileno())
            loop.remove_writer(line.fileno())
            line.close()

    def _read(self) -> None:
        assert self._line is not None
        try:
            data = os.read(self._line.fileno(), _MAX_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._gone.set()
            return
        try:
            self._take(data)
        except Exception as error:  # what is behind it starts with a new frame
            self.counters["faults"] += 1
            self._frames.reset()
            loop = asyncio.get_running_loop()
            given = {"message": self.name, "part": f"link {self.name}", "exception": error}
            loop.call_exception_handler(given)

    def _take(self, data: bytes) -> None:
        for topic, message in self._frames.feed(data):
            self.counters["up"] += 1
            arrival = Arrival(self._clock(), topic, message, self, _nothing_to_acknowledge)
            if not self._offer(arrival):
                self.counters["queue_full"] += 1

    def _write(self) -> None:
        if self._line is None:
            return
        loop = asyncio.get_running_loop()
        try:
            sent = os.write(self._line.fileno(), self._out)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._gone.set()
            return
        del self._out[:sent]
        if self._out:
            loop.add_writer(self._line.fileno(), self._write)
        else:
            loop.remove_writer(self._line.fileno())


def _nothing_to_acknowledge() -> None:
    """A serial line has no PUBACK."""
