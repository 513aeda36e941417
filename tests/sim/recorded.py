# SPDX-License-Identifier: MIT
"""Recordings of every kind as files, and what is read of them."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pymseed
import pytest
from numpy.typing import NDArray

from sim_hardware import recordings
from sim_hardware.errors import SimError
from sim_hardware.signals import Signal

RNG = np.random.default_rng(2)
COUNTS = RNG.integers(-500, 500, 3000).astype(np.int32)


def signal_of(path: Path) -> Signal:
    take = recordings.load(path)
    assert [node.id for node in take.nodes] == ["n01"]
    return take.signals["n01"]


def counts_of(path: Path) -> list[int]:
    counts = signal_of(path).counts
    assert counts is not None
    assert counts.dtype == np.int32
    return counts.tolist()


def refused(path: Path) -> str:
    with pytest.raises(SimError) as error:
        recordings.load(path)
    text = str(error.value)
    assert "\n" not in text
    assert str(path) in text
    return text


def write_wav(path: Path, width: int, channels: int = 1, fs_hz: int = 500) -> list[int]:
    top = 2 ** (8 * width - 1)
    values = [int(v) for v in RNG.integers(-top, top, 1000, dtype=np.int64)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(fs_hz)
        for value in values:
            coded = value + 128 if width == 1 else value
            frame = coded.to_bytes(width, "little", signed=width > 1)
            file.writeframesraw(frame + bytes(width * (channels - 1)))
    return values


START_NS = 1_600_000_000_000_000_000


def write_mseed(
    path: Path,
    parts: list[tuple[str, int, NDArray[Any], str]],
    fs_hz: float = 100.0,
    version: int = 3,
) -> None:
    # parts: (source id, start in ns, samples, sample type)
    traces = pymseed.MS3TraceList()
    for source, start_ns, data, kind in parts:
        traces.add_data(source, data.tolist(), kind, fs_hz, starttime=start_ns)
    encoding = pymseed.DataEncoding.STEIM2 if parts[0][3] == "i" else pymseed.DataEncoding.FLOAT64
    traces.to_file(
        str(path),
        overwrite=True,
        max_record_length=512,
        encoding=encoding,
        format_version=version,
    )
