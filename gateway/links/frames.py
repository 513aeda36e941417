# SPDX-License-Identifier: MIT
"""Links: frames on a serial line.

frame = COBS(payload || CRC-32, little-endian) || 0x00
payload = topic length (1 byte) || topic || sealed message

COBS (Cheshire and Baker, 1999) keeps 0x00 for the end of a frame, so after any damage the next
frame is found; CRC-32 (IEEE 802.3) detects damage.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator

from gateway.wire.messages import MAX_SEALED, MAX_TOPIC

_CRC = 4
# Of nothing else are log lines that a node prints between its frames; a sealed message never is.
_TEXT = bytes((*range(0x20, 0x7F), *b"\t\r\n"))
# Topic and its length, message, CRC, and one code byte per 254.
MAX_FRAME = 1 + MAX_TOPIC + MAX_SEALED + _CRC + 8


def encode_frame(topic: str, message: bytes) -> bytes:
    """A frame with its end mark. Raises ValueError when it would be too long."""
    name = topic.encode()
    if len(name) > MAX_TOPIC or len(message) > MAX_SEALED:
        raise ValueError("topic or message too long for a frame")
    payload = bytes((len(name),)) + name + message
    return cobs_encode(payload + zlib.crc32(payload).to_bytes(_CRC, "little")) + b"\0"


def decode_frame(data: bytes) -> tuple[str, bytes]:
    """(topic, message) of a frame without its end mark. Raises ValueError with the reason."""
    body = cobs_decode(data)
    payload, crc = body[:-_CRC], body[-_CRC:]
    if len(body) <= _CRC or zlib.crc32(payload).to_bytes(_CRC, "little") != crc:
        raise ValueError("bad_crc")
    size = payload[0]
    if size > MAX_TOPIC or 1 + size > len(payload):
        raise ValueError("bad_frame")
    try:
        return payload[1 : 1 + size].decode("ascii"), payload[1 + size :]
    except UnicodeDecodeError:
        raise ValueError("bad_frame") from None


def cobs_encode(data: bytes) -> bytes:
    """Without any 0x00; one byte longer per 254, at least one."""
    out = bytearray()
    for block in data.split(b"\0"):
        at = 0
        while len(block) - at >= 254:
            out.append(0xFF)
            out += block[at : at + 254]
            at += 254
        out.append(len(block) - at + 1)
        out += block[at:]
    return bytes(out)


def cobs_decode(data: bytes) -> bytes:
    """Inverse of `cobs_encode`. Raises ValueError("bad_cobs")."""
    out = bytearray()
    at = 0
    while at < len(data):
        code = data[at]
        block = data[at + 1 : at + code]
        if code == 0 or len(block) != code - 1 or 0 in block:
            raise ValueError("bad_cobs")
        out += block
        at += code
        if code < 0xFF and at < len(data):
            out.append(0)
    return bytes(out)


class FrameReader:
    """Bytes as they come -> frames; what is too long is passed over up to the next end mark."""

    def __init__(self, counters: Counter[str]) -> None:
        self._counters = counters
        self._buffer = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """(topic, message) of each whole frame; damaged ones are counted."""
        parts = data.split(b"\0")
        for index, part in enumerate(parts):
            if not self._skipping:
                self._buffer += part
            if len(self._buffer) > MAX_FRAME:
                self._counters["frame_too_long"] += 1
                self._skipping = True
                self._buffer.clear()
            if index == len(parts) - 1:
                return
            frame, skipped = bytes(self._buffer), self._skipping
            self._buffer.clear()
            self._skipping = False
            if not frame or skipped:
                continue
            if not frame.translate(None, _TEXT):
                self._counters["console_text"] += 1
                continue
            try:
                yield decode_frame(frame)
            except ValueError as error:
                self._counters[str(error)] += 1

    def reset(self) -> None:
        """The line was unplugged: drop the partial frame."""
        self._buffer.clear()
        self._skipping = False
