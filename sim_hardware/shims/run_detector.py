# SPDX-License-Identifier: MIT
# Fast path: the node's detector alone on whole blocks. No radio, no ledger; the clock shows uptime.
#
#   MICROPYPATH=FIRMWARE:.frozen micropython run_detector.py SCALE MODEL [features] < counts
#
# SCALE: nm/s per count, times 256.
#
# Input, little-endian int32: HEADER words [blocks, edges, uptime in ms of the sample before the
# first], `edges` pairs [uptime_ms, level], blocks * 32 counts; repeated until the input ends.
# Output: a line of integers for each report, in the order of ugs.detect.activity.Report, then the
# uptime of its block. A message of ugs.arrivals: the word `footfalls`, the onset, the uptimes of
# the first footfall and of the block, the pairs of the message. With `features`, the input of the
# forest at each hop: the uptime as int32 and the bytes of ugs.detect.features.

import struct
import sys
from array import array
from binascii import crc32

import uctypes
from micropython import const

from ugs.arrivals import Arrivals
from ugs.detect.detector import Detector
from ugs.detect.features import COUNT
from ugs.detect.forest import CLASSES

_BLOCK = const(32)
_BLOCK_MS = const(128)
_RING = const(1024)
_HEADER = const(3)
_EDGES = const(2048)


def _view(words):
    # The bytes of an array: a pipe may give part of a word.
    return memoryview(uctypes.bytearray_at(uctypes.addressof(words), 4 * len(words)))


def _fill(stream, view):
    # False at the end of the input, between chunks only.
    got = 0
    while got < len(view):
        count = stream.readinto(view[got:])
        if not count:
            if got:
                raise OSError("input ends within a chunk")
            return False
        got += count
    return True


def _print_report(report, t_ms):
    print(
        report.phase,
        report.onset_ms,
        report.class_id,
        report.confidence_pct,
        report.peak_um_s_x100,
        report.cadence_hz_x20,
        report.pir_count,
        report.elapsed_s_x10,
        t_ms,
    )


class _Uptime:
    # A clock without error; its UTC is the uptime.
    def quality_ms(self):
        return 0

    def utc_ms(self, uptime_ms):
        return uptime_ms


def _print_footfalls(values, t_ms):
    print("footfalls", values["t_ms"], values["utc_ms"], t_ms, *values["footfalls"])


def _constant_model():
    # A model of single leaves: features are printed before a model for them exists.
    body = bytes(2 * CLASSES) + b"\x02\x00\xff\x80" * CLASSES
    head = b"GWF1" + struct.pack("<BBH", 1, COUNT, CLASSES) + b"\x80" * 8
    return head + struct.pack("<I", crc32(body)) + body


def main():
    prints_features = len(sys.argv) > 3
    with open(sys.argv[2], "rb") as file:
        model = _constant_model() if prints_features else file.read()
    detector = Detector(int(sys.argv[1]), model)
    arrivals = Arrivals(detector, _Uptime())
    out = sys.stdout.buffer
    uptime = array("i", [0])
    stream = sys.stdin.buffer
    header = array("i", [0] * _HEADER)
    ring = array("i", [0] * _RING)
    edges = array("i", [0] * (2 * _EDGES))
    header_bytes, ring_bytes, edge_bytes = _view(header), _view(ring), _view(edges)
    while _fill(stream, header_bytes):
        blocks, count, t_ms = header
        if not (0 < blocks <= _RING // _BLOCK and 0 <= count <= _EDGES):
            raise ValueError("chunk of %d blocks and %d edges" % (blocks, count))
        if count and not _fill(stream, edge_bytes[: 8 * count]):
            raise OSError("input ends within a chunk")
        if not _fill(stream, ring_bytes[: 4 * _BLOCK * blocks]):
            raise OSError("input ends within a chunk")
        edge = 0
        for start in range(0, blocks * _BLOCK, _BLOCK):
            t_ms += _BLOCK_MS
            while edge < count and edges[2 * edge] <= t_ms:
                detector.pir_edge(edges[2 * edge], edges[2 * edge + 1])
                edge += 1
            hops = detector.hops
            has_report = detector.feed(ring, start, t_ms)
            if prints_features:
                if detector.hops != hops:
                    uptime[0] = t_ms
                    out.write(uptime)
                    out.write(detector.features.values)
                continue
            if has_report:
                _print_report(detector.report, t_ms)
            values = arrivals.next(t_ms)
            if values is not None:
                _print_footfalls(values, t_ms)


main()
