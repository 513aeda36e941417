# SPDX-License-Identifier: MIT
"""Record: the lines of a node that streams (firmware/ugs/remote/stream.py) become values."""

from __future__ import annotations

import base64
import binascii
import re
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_PREFIX = "stream "
_SAMPLES, _EDGE, _FACTS, _END = 1, 2, 3, 4
_CRC = 4
_HEAD = struct.Struct("<BBBBIIII")
_EDGE_RECORD = struct.Struct("<BBHII")
_LEVELS = (0, 1)  # else: no PIR, or an edge is on its way
_TEXT_MAX = 160
_PAIR = re.compile(r"(\w+)=([\w.+-]{1,40})")


@dataclass(frozen=True)
class Facts:
    """What a node reports of itself; `nm_s_per_count_x256` is the scale of its samples."""

    node: str
    board: str
    firmware: str
    boot: int
    fs_hz: int
    nm_s_per_count_x256: int
    pir: bool


@dataclass(frozen=True, eq=False)
class Samples:
    """int32 (n,), the number of the first, its uptime; samples missed and clipped since the start
    of the node. `pir_level` is None without a PIR and while an edge is on its way."""

    counts: NDArray[np.int32]
    first: int
    t_ms: int
    missed: int
    clipped: int
    pir_level: int | None


@dataclass(frozen=True)
class Edge:
    """An edge of the PIR: its level after it, its number modulo 2^16, its uptime, and how many
    edges were replaced since the start of the node."""

    level: int
    number: int
    t_ms: int
    dropped: int


@dataclass(frozen=True)
class End:
    """The node ends the stream: `time` or `host`."""

    cause: str


Record = Facts | Samples | Edge | End


def parse(line: str) -> Record | None:
    """The record in a line; None for a line that is none. Raises ValueError for a damaged one."""
    if not line.startswith(_PREFIX):
        return None
    if line.startswith(("stream starts ", "stream ends ")):
        return None  # the node's own log
    try:
        data = base64.b64decode(line[len(_PREFIX) :].strip(), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    body, check = data[:-_CRC], data[-_CRC:]
    if not body or zlib.crc32(body).to_bytes(_CRC, "little") != check:
        raise ValueError("wrong check sum")
    if body[0] == _SAMPLES:
        return _samples(body)
    if body[0] == _EDGE:
        if len(body) != _EDGE_RECORD.size:
            raise ValueError("an edge of another length")
        _kind, level, number, t_ms, dropped = _EDGE_RECORD.unpack(body)
        return Edge(int(level), int(number), int(t_ms), int(dropped))
    text = body[1 : 1 + _TEXT_MAX].decode("ascii", "replace")
    if body[0] == _FACTS:
        return _facts(text)
    if body[0] == _END:
        return End(text)
    raise ValueError(f"kind {body[0]}")


def _samples(body: bytes) -> Samples:
    if len(body) < _HEAD.size:
        raise ValueError("samples without a head")
    _kind, level, count, _zero, first, t_ms, missed, clipped = _HEAD.unpack_from(body)
    packed = np.frombuffer(body[_HEAD.size :], np.uint8)
    if count == 0 or packed.size != 3 * count:
        raise ValueError("samples of another length")
    wide = np.zeros((count, 4), np.uint8)
    wide[:, 1:] = packed.reshape(count, 3)
    counts = wide.view("<i4")[:, 0].astype(np.int32) >> 8
    return Samples(counts, first, t_ms, missed, clipped, level if level in _LEVELS else None)


def _facts(text: str) -> Facts:
    pairs = dict(_PAIR.findall(text))
    try:
        facts = Facts(
            pairs["node"],
            pairs["board"],
            pairs["fw"],
            int(pairs["boot"]),
            int(pairs["fs_hz"]),
            int(pairs["nm_s_per_count_x256"]),
            pairs["pir"] == "1",
        )
    except (KeyError, ValueError):
        raise ValueError("facts that lack something") from None
    if not (20 <= facts.fs_hz <= 4000 and facts.nm_s_per_count_x256 > 0):
        raise ValueError("facts that no node has")
    return facts
