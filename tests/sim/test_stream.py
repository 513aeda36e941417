# SPDX-License-Identifier: MIT
"""Feeds: resampling, the growing ring that nodes read, the list of PIR edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim_hardware.errors import SimError
from sim_hardware.parts.feed import Feed
from sim_hardware.signals import FEED_FS_HZ, quiet_floor, quiet_ground, to_feed
from sim_hardware.stream import RING, Decimator, EdgeFile, RingFeed


def tone(fs_hz: float, hz: float, seconds: float) -> np.ndarray:
    t_s = np.arange(round(fs_hz * seconds)) / fs_hz
    return (1e-5 * np.sin(2 * np.pi * hz * t_s)).astype(np.float32)


@pytest.mark.parametrize("fs_hz", [100.0, 200.0, 250.0, 333.0, 500.0, 1000.0, 4000.0, 44100.0])
def test_feed_keeps_a_footsteps_band_and_its_timing(fs_hz: float) -> None:
    feed = to_feed(tone(fs_hz, 20, 4), fs_hz)
    assert feed.dtype == np.int32
    assert abs(feed.size - 1000) <= 1
    expected = tone(FEED_FS_HZ, 20, 4)[: feed.size] * 1e9
    assert np.max(np.abs(feed - expected[: feed.size])[100:-100]) < 0.02 * 1e4


def test_feed_holds_no_alias_of_what_the_nodes_cannot_sample() -> None:
    # 230 Hz would fold to 20 Hz, in the middle of the footstep band.
    for fs_hz in (500.0, 1000.0):
        assert np.max(np.abs(to_feed(tone(fs_hz, 230, 4), fs_hz)[100:-100])) < 100


def test_feed_is_limited_to_what_32_bits_hold() -> None:
    loud = np.array([3.0, -3.0] * 250, np.float32)
    assert set(to_feed(loud, 250.0).tolist()) == {2_000_000_000, -2_000_000_000}


def test_rate_without_a_simple_ratio_is_refused() -> None:
    with pytest.raises(SimError, match="no ratio of small numbers"):
        to_feed(np.zeros(400_000, np.float32), 399_999.5)


def test_quiet_ground_has_the_floor_asked_for_and_repeats() -> None:
    ground = quiet_ground(250 * 60, 100.0, 7)
    assert abs(quiet_floor(ground, 250.0) / 100.0 - 1) < 0.1
    np.testing.assert_array_equal(ground, quiet_ground(250 * 60, 100.0, 7))
    assert (ground != quiet_ground(250 * 60, 100.0, 8)).any()


@pytest.mark.parametrize("fs_hz", [250, 500, 1000])
def test_decimated_stream_does_not_depend_on_how_it_is_cut(fs_hz: int) -> None:
    data = tone(fs_hz, 20, 8)
    whole = Decimator(fs_hz).feed(data)
    pieces = Decimator(fs_hz)
    cuts = np.random.default_rng(5).integers(1, 400, 1000)
    at, parts = 0, []
    for cut in cuts:
        parts.append(pieces.feed(data[at : at + cut]))
        at += cut
        if at >= data.size:
            break
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    # In time with the signal: no delay is left.
    expected = tone(FEED_FS_HZ, 20, 8)[: whole.size] * 1e9
    assert np.max(np.abs(whole - expected)[50:]) < 0.02 * 1e4


def test_decimator_of_another_rate_is_refused() -> None:
    with pytest.raises(SimError, match="multiple of 250"):
        Decimator(333)


def test_ring_is_read_as_far_as_it_is_written_and_no_lap_behind(tmp_path: Path) -> None:
    ring = RingFeed(tmp_path / "feed")
    feed = Feed(str(tmp_path / "feed"), 250, 0, RING)
    period_us = 1_000_000 // 250
    numbers = np.arange(1, 2 * RING + 5001, dtype=np.int32)
    read = 0
    for end in range(0, numbers.size, 1777):
        ring.append(numbers[ring.written : end])
        while read < end:
            assert feed.at(read * period_us) == read + 1
            read += 1
        assert feed.at(read * period_us) == 0, "not yet written: the ground is still"
    assert read > 2 * RING
    assert (tmp_path / "feed").stat().st_size == 8 + 4 * RING
    ring.close()


def test_plain_feed_is_still_before_and_after(tmp_path: Path) -> None:
    np.arange(1, 5001, dtype="<i4").tofile(tmp_path / "feed")
    feed = Feed(str(tmp_path / "feed"), 333, -2_000_000)
    for i in (0, 1, 2046, 2047, 2048, 4999, 100):
        assert feed.at(-2_000_000 + (i * 1_000_000 + 500_000) // 333) == i + 1
    assert feed.at(-2_100_000) == 0
    assert feed.at(30_000_000) == 0


def test_edges_are_appended_in_microseconds(tmp_path: Path) -> None:
    edges = EdgeFile(tmp_path / "pir")
    edges.append([0.5, 1.2500004])
    edges.append([])
    edges.append([3.0])
    edges.close()
    assert np.fromfile(tmp_path / "pir", "<i8").tolist() == [500_000, 1_250_000, 3_000_000]
