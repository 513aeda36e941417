# SPDX-License-Identifier: MIT
"""WAV files of every header become counts; damaged ones one line."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from sim_hardware import recordings
from sim_hardware.errors import SimError
from tests.sim.recorded import (
    COUNTS,
    counts_of,
    refused,
    signal_of,
    write_wav,
)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_pcm_of_every_width_is_read(tmp_path: Path, width: int, channels: int) -> None:
    path = tmp_path / "a.wav"
    values = write_wav(path, width, channels)
    assert counts_of(path) == values
    assert signal_of(path).fs_hz == 500.0


def test_wav_without_samples_or_not_pcm_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, 2)
    data = path.read_bytes()
    for size in (*range(44), 45, 500):
        path.write_bytes(data[:size])
        refused(path)
    path.write_bytes(data[:20] + struct.pack("<H", 3) + data[22:])
    assert "convert it to integer PCM" in refused(path)
    path.write_bytes(data[:24] + struct.pack("<I", 0) + data[28:])
    refused(path)


@pytest.mark.parametrize("length", [None, 0, 0xFFFFFFFF])
def test_wav_that_is_cut_or_without_a_length_gives_the_samples_that_are_there(
    length: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    values = write_wav(path, 2)
    data = path.read_bytes()[:-1] if length is None else path.read_bytes()
    if length is not None:
        data = data[:40] + struct.pack("<I", length) + data[44:]
    path.write_bytes(data)
    found = recordings.read(path)
    counts = found.take.signals["n01"].counts
    assert counts is not None
    assert counts.tolist() == values[: 999 if length is None else 1000]
    assert len(found.remarks()) == 1
    assert ("999 are there" if length is None else "no length") in found.remarks()[0]


def riff(form: bytes, data: bytes, *before: tuple[bytes, bytes], head: bytes = b"RIFF") -> bytes:
    """A WAV file by its specification: chunks of name, size and content, padded to even sizes."""
    chunks = [*before, (b"fmt ", form), (b"LIST", b"odd"), (b"data", data)]
    body = b"".join(
        name + struct.pack("<I", len(raw)) + raw + b"\0" * (len(raw) % 2) for name, raw in chunks
    )
    return head + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def extensible(kind: int, width: int, channels: int, bits: int) -> bytes:
    block = width * channels
    plain = struct.pack("<HHIIHH", 0xFFFE, channels, 500, 500 * block, block, 8 * width)
    more = struct.pack("<HHIH", 22, bits, 0, kind)
    return plain + more + bytes.fromhex("000000001000800000aa00389b71")


def test_wav_with_an_extensible_header_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(riff(extensible(1, 4, 1, 24), (COUNTS << 8).astype("<i4").tobytes()))
    assert counts_of(path) == (COUNTS << 8).tolist()
    assert signal_of(path).fs_hz == 500.0
    broken = bytearray(path.read_bytes())
    broken[12 + 8 + 30] ^= 1  # the sub-format is none that is known
    path.write_bytes(broken)
    assert "convert it to integer PCM" in refused(path)


@pytest.mark.parametrize("width", [4, 8])
def test_wav_of_floats_keeps_its_shape_and_bridges_what_is_no_number(
    width: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    data = (COUNTS / 500).astype(f"<f{width}")
    data[100:104] = np.nan
    path.write_bytes(riff(extensible(3, width, 1, 8 * width), data.tobytes()))
    found = recordings.read(path)
    counts = np.array(found.take.signals["n01"].counts, float)
    kept = np.isfinite(data)
    assert (
        np.max(np.abs(counts / np.abs(counts).max() - data / np.nanmax(np.abs(data)))[kept]) < 1e-8
    )
    assert "gaps of 0.008 s" in found.remarks()[0]


def test_wav_of_64_bit_lengths_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    raw = COUNTS.astype("<i2").tobytes()
    long = struct.pack("<QQQI", 0, len(raw), 0, 0)
    form = struct.pack("<HHIIHH", 1, 1, 500, 1000, 2, 16)
    whole = bytearray(riff(form, raw, (b"ds64", long), head=b"RF64") + b"tail of another chunk")
    at = whole.index(b"data")
    whole[at + 4 : at + 8] = b"\xff" * 4
    path.write_bytes(whole)
    assert counts_of(path) == COUNTS.tolist()
    assert recordings.read(path).remarks() == []


def test_wav_channel_that_moves_is_taken_and_the_choice_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    form = struct.pack("<HHIIHH", 1, 2, 500, 2000, 4, 16)
    still = np.full(COUNTS.size, 7)
    both = np.stack([still, COUNTS], axis=1).astype("<i2")
    path.write_bytes(riff(form, both.tobytes()))
    found = recordings.read(path)
    assert counts_of(path) == COUNTS.tolist()
    assert found.remarks() == ["channel 2 is taken, 1 left"]
    left = recordings.read(path, "1").take.signals["n01"].counts
    assert left is not None and left.tolist() == still.tolist()
    with pytest.raises(SimError, match="no channel 3; there are 1 to 2"):
        recordings.read(path, "3")
