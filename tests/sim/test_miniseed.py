# SPDX-License-Identifier: MIT
"""miniSEED: damaged records become gaps, the channel is chosen and reported."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pymseed
import pytest

from sim_hardware import recordings
from sim_hardware.errors import SimError
from tests.sim.recorded import (
    COUNTS,
    RNG,
    START_NS,
    counts_of,
    refused,
    signal_of,
    write_mseed,
    write_wav,
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
