# SPDX-License-Identifier: MIT
"""Bare recordings of every kind become takes of one node; damaged ones one line."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim_hardware import recordings
from sim_hardware.errors import SimError
from sim_hardware.signals import Signal, quiet_floor
from tests.sim.recorded import (
    COUNTS,
    RNG,
    counts_of,
    refused,
    signal_of,
)

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
