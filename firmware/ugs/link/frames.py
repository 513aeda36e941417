# SPDX-License-Identifier: MIT
# link: frames on a serial line (docs/wire.md section 2): bounded memory, no Python per byte.

import binascii

from micropython import const

_CRC = const(4)
# topic and its length, sealed message, CRC, and one code byte per 254
_FRAME_MAX = const(1 + 64 + 1536 + _CRC + 8)
_READ_MAX = const(128)
# Sealed bytes contain this by chance once in 2^128 places.
_BREAK = b"\x03" * 16
_BREAK_PART = const(15)


def encode(topic, message):
    # Both are bytes. The first 0x00 ends text printed on the line before.
    body = bytes((len(topic),)) + topic + message
    body += binascii.crc32(body).to_bytes(_CRC, "little")
    out = [b"\0"]
    for block in body.split(b"\0"):
        while len(block) >= 254:
            out.append(b"\xff" + block[:254])
            block = block[254:]
        out.append(bytes((len(block) + 1,)) + block)
    out.append(b"\0")
    return b"".join(out)


class FrameReader:
    # on_frame(topic, message) is called for each complete frame.
    #   damaged: count of frames that were invalid or too long

    def __init__(self, on_frame):
        self.damaged = 0
        self._on_frame = on_frame
        self._buffer = bytearray(_FRAME_MAX + _READ_MAX)
        self._view = memoryview(self._buffer)
        self._size = 0
        self._is_too_long = False

    def read(self, line):
        # Reads some of the bytes that arrived; returns how many. Raises KeyboardInterrupt at a
        # break: Ctrl-C so many times in succession.
        begin = self._size
        count = line.readinto(self._view[begin : begin + _READ_MAX])
        if not count:
            return 0
        buffer, end, start = self._buffer, begin + count, 0
        if buffer.find(_BREAK, max(0, begin - _BREAK_PART), end) >= 0:
            raise KeyboardInterrupt
        at = buffer.find(b"\0", begin, end)
        while at >= 0:
            if self._is_too_long:
                self._is_too_long = False
            elif at > start and not self._take(start, at):
                self.damaged += 1
            start = at + 1
            at = buffer.find(b"\0", start, end)
        if end - start > _FRAME_MAX and not self._is_too_long:
            self._is_too_long = True
            self.damaged += 1
        if self._is_too_long:
            start = max(start, end - _BREAK_PART)
        if start:
            buffer[: end - start] = buffer[start:end]
        self._size = end - start
        return count

    def _take(self, start, end):
        # Whether there is a frame between the two.
        start, end = start + 1, self._decode(start, end)
        if end - start <= _CRC:
            return False
        view = self._view
        end -= _CRC
        if int.from_bytes(view[end : end + _CRC], "little") != binascii.crc32(view[start:end]):
            return False
        at = start + 1 + self._buffer[start]
        if at > end:
            return False
        self._on_frame(bytes(view[start + 1 : at]), bytes(view[at:end]))
        return True

    def _decode(self, at, end):
        # Decodes in place, to one byte after `at`. A code byte stands for a 0x00; after a block of
        # 254 bytes it is removed. Returns the new end, 0 if the encoding is invalid.
        buffer, code = self._buffer, 0
        while at < end:
            is_extra, code = code == 0xFF, buffer[at]
            if is_extra:
                buffer[at : end - 1] = buffer[at + 1 : end]
                at += code - 1
                end -= 1
            else:
                buffer[at] = 0
                at += code
        return end if at == end else 0
