# SPDX-License-Identifier: MIT
"""Ground layer: WAV files to one channel of counts: PCM, extensible headers, RF64, and floats.

The standard library's reader refuses extensible headers, which every recorder of more than 16 bits
writes, and RF64.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from sim_hardware.errors import SimError
from sim_hardware.signals import SAMPLES_MAX

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_UNKNOWN_SIZE = 0xFFFFFFFF
_CHUNKS_MAX = 1000
_FORMAT_MIN, _FORMAT_MAX = 16, 40
# The end of the sub-format's identifier in an extensible header, after its first two bytes.
_SUB_FORMAT = bytes.fromhex("000000001000800000aa00389b71")


@dataclass(frozen=True)
class Format:
    """How the samples of a file are written."""

    kind: int
    channels: int
    fs_hz: float
    width: int  # bytes of a sample


def read_wav(path: Path) -> tuple[NDArray[np.generic], float, list[str]]:
    """Samples (n, channels), their rate, and what was repaired. Raises SimError."""
    try:
        with path.open("rb") as file:
            form, size, notes = _found(file, path.stat().st_size)
            data = file.read(size)
    except OSError as error:
        raise SimError(f"cannot be read ({error.strerror})") from None
    frame = form.channels * form.width
    whole = len(data) // frame * frame
    return _samples(data[:whole], form), form.fs_hz, notes


def _found(file: BinaryIO, file_size: int) -> tuple[Format, int, list[str]]:
    """The format; the bytes of samples that are there, at which the file is then."""
    form: Format | None = None
    long_size = 0
    for name, size in _chunks(file):
        if name == b"ds64":
            long_size = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))[0]
        elif name == b"fmt ":
            form = _format(file.read(min(size, _FORMAT_MAX)), size)
        elif name == b"data" and form is not None:
            frame = form.channels * form.width
            promised = long_size if size == _UNKNOWN_SIZE and long_size else size
            there = file_size - file.tell()
            if min(promised or there, there) > SAMPLES_MAX * frame:
                raise SimError(f"more than {SAMPLES_MAX} samples; cut it into parts")
            if 0 < promised <= there:
                return form, promised, []
            is_open = promised in (0, _UNKNOWN_SIZE)
            words = "the recorder wrote no length" if is_open else f"of {promised // frame} samples"
            return form, there, [f"cut: {words}, {there // frame} are there"]
    raise SimError("damaged: no samples inside")


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    at = 12
    for _ in range(_CHUNKS_MAX):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        yield name, size
        at += 8 + size + size % 2


def _format(raw: bytes, size: int) -> Format:
    if len(raw) < _FORMAT_MIN:
        raise SimError("damaged: its header is cut")
    kind, channels, fs_hz, _bytes_s, block, bits = struct.unpack("<HHIIHH", raw[:16])
    if kind == _EXTENSIBLE and size >= _FORMAT_MAX and raw[26:] == _SUB_FORMAT:
        kind = struct.unpack("<H", raw[24:26])[0]
    width = (bits + 7) // 8
    known = {_PCM: (1, 2, 3, 4), _FLOAT: (4, 8)}
    if kind not in known or width not in known[kind]:
        raise SimError(
            f"samples of format {kind}, {bits} bits; convert it to integer PCM of 8, 16, 24 or 32"
        )
    if not channels or block != channels * width:
        raise SimError("damaged: its header contradicts itself")
    return Format(kind, channels, float(fs_hz), width)


def _samples(data: bytes, form: Format) -> NDArray[np.generic]:
    if form.kind == _FLOAT:
        return np.frombuffer(data, f"<f{form.width}").reshape(-1, form.channels)
    raw = np.frombuffer(data, np.uint8).reshape(-1, form.channels, form.width)
    if form.width == 1:
        return raw[:, :, 0].astype(np.int32) - 128  # 8 bits are unsigned, more are signed
    wide = np.zeros((raw.shape[0], form.channels, 4), np.uint8)
    wide[:, :, 4 - form.width :] = raw
    return wide.view("<i4")[:, :, 0].astype(np.int32) >> (32 - 8 * form.width)
