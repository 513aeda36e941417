# SPDX-License-Identifier: MIT
# remote: sends each sample and each PIR edge over the USB cable during a recording (`groundwatch
# record`), while the node continues to detect. Started by a file that can be written only at the
# prompt of the cable. It ends after the time in that file, or when the host sends no more bytes.
#
# Each record is a line "stream BASE64". Before the encoding: little-endian, with a CRC-32 at its
# end:
#   samples  kind 1, PIR level (2: no PIR, 3: an edge is on its way), count, 0, number of the first,
#            its uptime in ms, samples missed and clipped since the start, 24 bits for each sample
#   edge     kind 2, level, number (u16), uptime in ms, edges replaced since the start (u32)
#   facts    kind 3, then text: facts about this node that a reader needs
#   end      kind 4, then text: the cause
# Numbers continue when records are lost, so the reader sees the gaps.

import binascii
import os
import struct
import sys

from micropython import const

from ugs.drivers.edges import EDGES
from ugs.drivers.sampler import RING
from ugs.version import FIRMWARE

_SECONDS_MAX = const(14_400)
# The host sends a byte each second. It opens the port again after the restart, so the first byte
# may be late.
_SILENCE_MS = const(5_000)
_FIRST_MS = const(30_000)
_FACTS_EVERY_MS = const(5_000)
_SAMPLES = const(1)
_EDGE = const(2)
_FACTS = const(3)
_END = const(4)
_HEAD = const(20)
_PART = const(56)  # samples of a record; its line must fit the limit of `groundwatch monitor`
_LINES_MAX = const(6)  # records in one step: 1.3 s of samples, about 15 ms on a Pico W
_MARGIN = const(64)  # samples that may arrive while older ones are copied
_CRC = const(4)
_NO_PIR = const(2)
_CHANGING = const(3)  # edges still unread by the sampling task or the reader


class Job:
    kind = -1  # not started by a command

    def __init__(self, node, line, seconds):
        self._line = line
        self._is_own = node.board.line is None
        self._clock = node.clock
        self._sampler = node.board.sampler
        self._pir = node.board.pir
        self._facts = "node=%s board=%s fw=%s boot=%d fs_hz=%d nm_s_per_count_x256=%d pir=%d" % (
            node.name,
            node.board.name,
            FIRMWARE,
            node.journal.boot,
            self._sampler.fs_hz,
            node.board.nm_s_per_count_x256,
            self._pir is not None,
        )
        now_ms = self._clock.uptime_ms()
        self._end_ms = now_ms + seconds * 1000
        self._silent_ms = now_ms + _FIRST_MS  # when the host counts as gone
        self._facts_ms = now_ms
        self._received = 0
        self._next = None  # number of the next sample
        self._edge = self._pir.head if self._pir is not None else 0
        self._data = bytearray(_HEAD + 3 * _PART + _CRC)
        self._view = memoryview(self._data)
        self._in = memoryview(bytearray(8))

    def next(self, _now_ms):
        return None

    def step(self, now_ms):
        # Whether it continues.
        if self._next is None:
            self._next = self._sampler.written
        if self._is_own:
            self._line.readinto(self._in)
        if self._line.received != self._received:
            self._received = self._line.received
            self._silent_ms = now_ms + _SILENCE_MS
        if now_ms >= self._end_ms or now_ms >= self._silent_ms:
            self._end("time" if now_ms >= self._end_ms else "host")
            return False
        if now_ms >= self._facts_ms and self._send_text(_FACTS, self._facts):
            self._facts_ms = now_ms + _FACTS_EVERY_MS
        if self._pir is not None:
            self._send_edges()
        late = self._sampler.written - self._next - (RING - _MARGIN)
        if late > 0:
            self._next += late  # overwritten, or nearly: the reader sees that numbers are missing
        for _ in range(_LINES_MAX):
            if not self._send_samples():
                break
        return True

    def _end(self, cause):
        self._send_text(_END, cause)
        print("stream ends cause=%s" % cause)
        if self._is_own:
            # Loaded only here.
            sys.modules.pop("boards.console", None)

    def _send_samples(self):
        # Whether there were some, and the line accepted them.
        sampler, first = self._sampler, self._next
        count = min(sampler.written - first, _PART)
        if count <= 0:
            return False
        t_ms = self._clock.uptime_ms() - sampler.age_us(first) // 1000
        struct.pack_into("<BBBBI", self._data, 0, _SAMPLES, self._level(), count, 0, first)
        struct.pack_into("<III", self._data, 8, max(0, t_ms), sampler.missed, sampler.clipped)
        data, ring, at = self._data, sampler.ring, _HEAD
        for n in range(first, first + count):
            value = ring[n & (RING - 1)]
            data[at] = value & 0xFF
            data[at + 1] = value >> 8 & 0xFF
            data[at + 2] = value >> 16 & 0xFF
            at += 3
        if not self._send(at):
            return False
        self._next = first + count
        return True

    def _level(self):
        # State of the PIR: if an edge was lost, the reader sees it here.
        pir = self._pir
        if pir is None:
            return _NO_PIR
        if len(pir) or (pir.head - self._edge) & 0xFFFF:
            return _CHANGING
        return pir.level

    def _send_edges(self):
        pir = self._pir
        waiting = (pir.head - self._edge) & 0xFFFF
        if waiting > EDGES:
            self._edge += waiting - EDGES
        while (pir.head - self._edge) & 0xFFFF:
            number = self._edge & 0xFFFF
            at = number & (EDGES - 1)
            t_ms = self._clock.at_tick(pir.ticks[at])
            level = pir.levels[at]
            struct.pack_into("<BBHII", self._data, 0, _EDGE, level, number, t_ms, pir.dropped)
            if not self._send(12):
                return
            self._edge += 1

    def _send_text(self, kind, text):
        size = 1 + len(text)
        self._data[0] = kind
        self._data[1:size] = text.encode()
        return self._send(size)

    def _send(self, size):
        # Whether the line accepted it: all or nothing.
        view = self._view
        struct.pack_into("<I", self._data, size, binascii.crc32(view[:size]))
        return self._line.write(b"stream " + binascii.b2a_base64(bytes(view[: size + _CRC]))) > 0


def start(node, path):
    # Raises OSError. The request is for one start: a node that fails while streaming starts
    # normally.
    with open(path, "rb") as file:
        text = file.read(8)
    os.remove(path)
    try:
        seconds = int(text)
    except ValueError:
        return
    if not 0 < seconds <= _SECONDS_MAX:
        return
    line = node.board.line or node.board.make_console()
    print("stream starts seconds=%d" % seconds)
    node.jobs.append(Job(node, line, seconds))
