# SPDX-License-Identifier: MIT
"""Bare recordings of every kind become takes of one node; damaged ones one line."""

from __future__ import annotations

import io
import struct
import wave
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pymseed
import pytest
from numpy.typing import NDArray

from sim_hardware import recordings
from sim_hardware.errors import SimError
from sim_hardware.signals import Signal, quiet_floor

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


# .npz -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64])
def test_counts_of_one_channel_are_read(tmp_path: Path, dtype: type[np.integer[Any]]) -> None:
    path = tmp_path / "a.npz"
    np.savez(
        path,
        counts=COUNTS.astype(dtype),
        fs_hz=500.0,
        t0_utc_s=1.5e9,
        scale=1.0,
        gap=np.zeros(3000, bool),
    )
    assert counts_of(path) == COUNTS.tolist()
    assert (signal_of(path).fs_hz, signal_of(path).t0_utc_s) == (500.0, 1.5e9)
    assert signal_of(path).counts_per_m_s is None


@pytest.mark.parametrize("order", ["C", "F"])
def test_first_of_several_channels_is_taken(tmp_path: Path, order: Any) -> None:
    path = tmp_path / "a.npz"
    many = np.asarray(np.stack([COUNTS, -COUNTS, 0 * COUNTS], axis=1), order=order)
    np.savez_compressed(path, counts=many, fs_hz=333, t0_utc_s=0, scale=6.1e-5)
    assert counts_of(path) == COUNTS.tolist()


def test_node_file_of_a_take_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "n07.npz"
    velocity = (COUNTS * 1e-9).astype(np.float32)
    np.savez(path, velocity_m_s=velocity, fs_hz=500.0, pir_edges_s=[1.0, 2.0])
    np.testing.assert_array_equal(signal_of(path).velocity(), velocity)
    assert signal_of(path).pir_edges_s.tolist() == [1.0, 2.0]


def test_pickled_objects_are_refused_unopened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "exploded",))

    path = tmp_path / "a.npz"
    np.savez(path, counts=np.array([Bomb()], dtype=object), fs_hz=250.0)
    assert "only numbers are read" in refused(path)
    assert not (tmp_path / "exploded").exists()


def test_npz_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.savez_compressed(whole, counts=COUNTS, fs_hz=250.0)
    data = whole.getvalue()
    path = tmp_path / "a.npz"
    for size in range(0, len(data), 97):
        path.write_bytes(data[:size])
        refused(path)


def test_npz_with_flipped_bytes_is_refused_or_still_a_signal(tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.savez(whole, counts=COUNTS[:300], fs_hz=250.0)
    rng = np.random.default_rng(3)
    path = tmp_path / "a.npz"
    outcomes = set()
    for _ in range(300):
        data = bytearray(whole.getvalue())
        for _ in range(3):
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(data)
        try:
            recordings.load(path)
            outcomes.add("read")
        except SimError as error:
            assert "\n" not in str(error)
            outcomes.add("refused")
    assert "refused" in outcomes


def test_pir_of_a_bare_recording_reaches_a_node_that_has_one(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    many = np.stack([COUNTS, -COUNTS], axis=1)
    np.savez(path, counts=many, fs_hz=250.0, scale=1.0, pir_edges_s=[1.0, 2.0], other=3)
    found = recordings.read(path)
    assert found.take.signals["n01"].pir_edges_s.tolist() == [1.0, 2.0]
    assert found.take.nodes[0].pir_range_m > 0
    assert found.remarks() == ["channel 1 is taken, 2 left", "the arrays other are not used"]


def npy(header: str, body: bytes) -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


@pytest.mark.parametrize(
    "member",
    [
        npy("{'descr': '<i4', 'fortran_order': False, 'shape': (10**12,)}", b"1234"),
        npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1000000000000,), }", b"1234"),
        npy("{'descr': '<i4', 'fortran_order': False, 'shape': (-1,), }", b"1234"),
        npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }", b"123"),
        npy("{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000000,), }", b""),
        npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", b"12345678"),
        npy("__import__('os').system('true')", b""),
        npy("{'shape': (1,)}", b""),
        b"\x93NUMPY\x09\x00",
        b"",
        b"text",
    ],
)
def test_array_header_that_promises_what_is_not_there_is_refused(
    tmp_path: Path, member: bytes
) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("counts.npy", member)
    refused(path)


def test_archive_that_unpacks_to_too_much_is_refused_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim_hardware.arrays._BYTES_MAX", 1 << 20)
    path = tmp_path / "a.npz"
    np.savez_compressed(path, counts=np.zeros(1 << 19, np.int32), fs_hz=250.0)
    assert path.stat().st_size < 1 << 14
    assert "unpacks to more than 1 MiB" in refused(path)
    path.write_bytes(bytes((1 << 20) + 1))
    assert "larger than 1 MiB" in refused(path)


def test_archive_of_many_members_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **{f"a{i}": np.zeros(1) for i in range(40)})
    assert "40 arrays are more than 32" in refused(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"fs_hz": 250.0}, "neither velocity_m_s nor counts"),
        ({"counts": COUNTS}, "fs_hz is missing"),
        ({"counts": COUNTS * 1.0, "fs_hz": 250.0}, "must be integers"),
        ({"counts": COUNTS[:100], "fs_hz": 250.0}, "1 s.."),
        ({"counts": np.zeros((0, 3), np.int16), "fs_hz": 250.0}, "1 s.."),
        ({"counts": np.zeros((500, 0), np.int16), "fs_hz": 250.0}, "1 s.."),
        ({"counts": np.zeros((500, 2, 2), np.int16), "fs_hz": 250.0}, "1 s.."),
        ({"counts": COUNTS, "fs_hz": 1e9}, "outside"),
        ({"counts": COUNTS, "fs_hz": "fast"}, "fs_hz must be one number"),
        ({"counts": np.array(3), "fs_hz": 250.0}, "1 s.."),
    ],
)
def test_npz_without_a_signal_is_named(
    tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    assert message in refused(path)


# .wav -----------------------------------------------------------------------------------------


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


# miniSEED -------------------------------------------------------------------------------------

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


def test_vertical_channel_of_a_miniseed_file_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.mseed"
    write_mseed(
        path,
        [
            ("FDSN:XX_AAA__H_H_E", START_NS, -COUNTS, "i"),
            ("FDSN:XX_AAA__H_H_Z", START_NS, COUNTS, "i"),
        ],
    )
    assert counts_of(path) == COUNTS.tolist()
    assert signal_of(path).fs_hz == 100.0
    assert signal_of(path).t0_utc_s == 1.6e9


def test_first_channel_is_taken_where_none_is_vertical(tmp_path: Path) -> None:
    path = tmp_path / "a.ms"
    write_mseed(path, [("FDSN:XX_AAA__H_H_1", START_NS, COUNTS, "i")])
    assert counts_of(path) == COUNTS.tolist()


def test_floating_point_samples_keep_their_shape(tmp_path: Path) -> None:
    path = tmp_path / "a.mseed"
    data = COUNTS * 1e-9
    write_mseed(path, [("FDSN:XX_AAA__H_H_Z", START_NS, data, "d")])
    counts = np.array(counts_of(path), float)
    assert np.max(np.abs(counts / np.abs(counts).max() - data / np.abs(data).max())) < 1e-8


def test_small_gap_is_bridged_and_a_large_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mseed"
    name = "FDSN:XX_AAA__H_H_Z"
    later_ns = START_NS + (1500 + 9) * 10_000_000
    write_mseed(path, [(name, START_NS, COUNTS[:1500], "i"), (name, later_ns, COUNTS[1500:], "i")])
    counts = counts_of(path)
    assert counts[:1500] + counts[1509:] == COUNTS.tolist()
    bridge = np.interp(np.arange(1, 10), [0, 10], [COUNTS[1499], COUNTS[1500]])
    assert counts[1500:1509] == np.rint(bridge).astype(int).tolist()
    later_ns = START_NS + 5_000 * 10_000_000
    write_mseed(path, [(name, START_NS, COUNTS[:1500], "i"), (name, later_ns, COUNTS[1500:], "i")])
    assert "gaps of more than a tenth" in refused(path)


def test_miniseed_without_a_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mseed"
    write_mseed(path, [("FDSN:XX_AAA__H_H_Z", START_NS, COUNTS, "i")])
    data = path.read_bytes()
    for size in (0, 10, 40, 200):
        path.write_bytes(data[:size])
        refused(path)
    path.write_bytes(RNG.bytes(5000))
    refused(path)
    path.write_bytes(b"000001D AAAAA" * 10_000)
    refused(path)
    rng = np.random.default_rng(4)
    for _ in range(100):
        hurt = bytearray(data)
        for _ in range(5):
            hurt[rng.integers(len(hurt))] = rng.integers(256)
        path.write_bytes(hurt)
        try:
            recordings.load(path)
        except SimError as error:
            assert "\n" not in str(error)


LONG = np.random.default_rng(7).integers(-500, 500, 20_000).astype(np.int32)


def blank(data: bytearray, at: int) -> None:
    data[at : at + 512] = bytes(512)


def cut_header(data: bytearray, at: int) -> None:
    data[at : at + 8] = b"\xff" * 8


def steim(data: bytearray, at: int) -> None:
    data[at + 80] ^= 0x10


@pytest.mark.parametrize("damage", [blank, cut_header, steim])
@pytest.mark.parametrize("number", [0, 20, -1])
def test_one_damaged_miniseed_record_costs_its_own_samples_only(
    damage: Any, number: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.mseed"
    write_mseed(path, [("FDSN:XX_AAA__H_H_Z", START_NS, LONG, "i")], version=2)
    data = bytearray(path.read_bytes())
    records = list(pymseed.MS3Record.from_buffer(bytes(data)))
    assert len(data) == 512 * len(records)
    number %= len(records)
    sizes = [one.samplecnt for one in pymseed.MS3Record.from_buffer(bytes(data))]
    begin = sum(sizes[:number])
    end = begin + sizes[number]
    damage(data, 512 * number)
    path.write_bytes(data)
    found = recordings.read(path)
    counts = found.take.signals["n01"].counts
    assert counts is not None
    if number == 0:
        assert counts.tolist() == LONG[end:].tolist()
        assert found.take.t0_utc_s == pytest.approx(1.6e9 + end / 100)
    elif number == len(records) - 1:
        assert counts.tolist() == LONG[:begin].tolist()
    else:
        assert counts.size == LONG.size
        assert (counts[:begin] == LONG[:begin]).all() and (counts[end:] == LONG[end:]).all()
        line = np.interp(np.arange(begin, end), [begin - 1, end], [LONG[begin - 1], LONG[end]])
        assert (counts[begin:end] == np.rint(line)).all()
        assert any("bridged by straight lines" in one for one in found.remarks())
    spoilt = f"1 damaged records, {sizes[number]} samples, became gaps"
    lost = f"512 of {len(data)} bytes are no valid record; left out"
    assert (spoilt if damage is steim else lost) in found.remarks()


def test_miniseed_cut_in_its_last_record_gives_the_records_before_it(tmp_path: Path) -> None:
    path = tmp_path / "a.mseed"
    write_mseed(path, [("FDSN:XX_AAA__H_H_Z", START_NS, COUNTS, "i")], version=2)
    data = path.read_bytes()[:-1]
    path.write_bytes(data)
    found = recordings.read(path)
    counts = found.take.signals["n01"].counts
    assert counts is not None and 0 < counts.size < COUNTS.size
    assert counts.tolist() == COUNTS[: counts.size].tolist()
    assert found.remarks() == [f"511 of {len(data)} bytes are no valid record; left out"]


def test_miniseed_3_record_with_a_wrong_check_sum_becomes_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "a.mseed"
    traces = pymseed.MS3TraceList()
    traces.add_data("FDSN:XX_AAA__H_H_Z", LONG.tolist(), "i", 100.0, starttime=START_NS)
    encoding = pymseed.DataEncoding.INT32  # which has no check of its own
    traces.to_file(str(path), max_record_length=512, encoding=encoding, format_version=3)
    data = bytearray(path.read_bytes())
    assert data.startswith(b"MS\x03")
    data[9000] ^= 1
    path.write_bytes(data)
    found = recordings.read(path)
    counts = found.take.signals["n01"].counts
    assert counts is not None and counts.size == LONG.size
    assert 0 < (counts != LONG).sum() < 200
    assert len(found.remarks()) == 2


def test_miniseed_record_with_a_wrong_time_or_rate_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.mseed"
    write_mseed(path, [("FDSN:XX_AAA__H_H_Z", START_NS, LONG, "i")], version=2)
    plain = path.read_bytes()
    for at, raw, words in (
        (20, struct.pack(">H", 2031), "with a time far from the others left out"),
        (32, struct.pack(">h", 50), "of another rate left out"),
    ):
        data = bytearray(plain)
        data[5120 + at : 5120 + at + 2] = raw
        path.write_bytes(data)
        found = recordings.read(path)
        counts = found.take.signals["n01"].counts
        assert counts is not None and counts.size == LONG.size
        assert any(words in one for one in found.remarks()), found.remarks()


def test_archive_names_without_a_suffix_and_wrong_suffixes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "XX.AAA..HHZ.D.2020.257"
    write_mseed(path, [("FDSN:XX_AAA__H_H_Z", START_NS, COUNTS, "i")])
    assert counts_of(path) == COUNTS.tolist()
    renamed = path.rename(tmp_path / "a.wav")
    assert counts_of(renamed) == COUNTS.tolist()
    write_wav(tmp_path / "b.mseed", 2)
    assert signal_of(tmp_path / "b.mseed").fs_hz == 500.0


def test_miniseed_seismometer_is_taken_before_an_accelerometer_and_reported(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.mseed"
    names = ["ENZ", "EHE", "EHZ", "LHZ"]
    parts = [
        (f"FDSN:XX_{station}__{'_'.join(name)}", START_NS, COUNTS + at, "i")
        for station in ("AAA", "BBB")
        for at, name in enumerate(names)
    ]
    write_mseed(path, parts)
    found = recordings.read(path)
    assert counts_of(path) == (COUNTS + 2).tolist()
    assert found.channel == "XX.AAA..EHZ"
    assert len(found.left) == 7 and "XX.BBB..EHZ" in found.left
    assert found.remarks()[0].startswith("channel XX.AAA..EHZ is taken, XX.AAA..EHE, ")
    for wanted, at in (("ENZ", 0), ("XX.AAA..EHE", 1), ("XX.BBB..EHZ", 2)):
        counts = recordings.read(path, wanted).take.signals["n01"].counts
        assert counts is not None and counts.tolist() == (COUNTS + at).tolist()
    with pytest.raises(SimError, match="no channel HHZ; there are XX.AAA..EHE"):
        recordings.read(path, "HHZ")


@pytest.mark.parametrize("year", [1955, 2200])
def test_recording_of_a_time_that_no_clock_of_a_node_has_is_played_without_date(
    year: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.mseed"
    start_ns = round((year - 1970) * 365.25 * 86400) * 1_000_000_000
    write_mseed(path, [("FDSN:XX_AAA__H_H_Z", start_ns, COUNTS, "i")])
    found = recordings.read(path)
    assert found.take.t0_utc_s == 0.0
    assert "before 1970 or after 2100" in found.remarks()[0]


# all ------------------------------------------------------------------------------------------


def test_other_files_and_none_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert "no such recording" in refused(path)
    path.write_text("ground")
    assert "unknown kind of recording" in refused(path)
    assert "no such recording" in refused(tmp_path)


def test_counts_without_a_scale_get_the_ambient_floor_asked_for() -> None:
    step = np.zeros(30_000)
    step[15_000:18_000] = 4000 * np.sin(np.arange(3000) * 0.2)
    quiet = RNG.normal(0, 37, 30_000)
    counts = np.rint(2048 + quiet + step).astype(np.int32)
    signal = Signal(500.0, counts=counts)
    for ambient in (100.0, 1000.0):
        velocity = signal.velocity(ambient)
        assert abs(quiet_floor(velocity, 500.0) * 1e9 / ambient - 1) < 0.01
        assert abs(np.mean(velocity)) < 1e-12
    calibrated = Signal(500.0, counts=counts, counts_per_m_s=2e9).velocity()
    np.testing.assert_allclose(calibrated, (counts - counts.mean()) / 2e9, rtol=1e-5)


def test_recording_without_any_movement_stays_still() -> None:
    still = Signal(250.0, counts=np.full(1000, 512, np.int32)).velocity()
    assert not still.any()


def test_dead_seconds_do_not_lower_the_floor() -> None:
    counts = np.rint(RNG.normal(0, 40, 10_000)).astype(np.int32)
    dead = np.concatenate([np.zeros(5000, np.int32), counts])
    alive = quiet_floor(counts, 250.0)
    assert abs(quiet_floor(dead, 250.0) / alive - 1) < 0.25
