# SPDX-License-Identifier: MIT
"""The filter behind the ADS1220: its taps by design, and on MicroPython its samples to the bit."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from tests.drivers.test_decimate import decibel
from tests.on_node import FIRMWARE, run_on_node
from ugs.dsp import fir

SCRIPT = Path(__file__).parent / "on_node" / "fir.py"
RAW_HZ, TAPS, UNIT = 1000, 64, 1 << 14
PASS_HZ, STOP_HZ, STOP_WEIGHT = 100, 150, 9
FULL = 1 << 17
BITS = pytest.mark.parametrize("bits", ["micropython", "micropython_i386"])

Ints = NDArray[np.int64]

HALF = np.array(fir.state(1, [0])[-TAPS - TAPS // 2 : -TAPS], np.int64)
WHOLE = np.concatenate([HALF, HALF[::-1]])


def samples(counts: Ints) -> Ints:
    """All samples of a filter; the first one comes when it is full."""
    windows = np.lib.stride_tricks.sliding_window_view(counts >> 1, TAPS)[:: fir.BY]
    return np.asarray(windows @ WHOLE + (1 << 12) >> 13, np.int64)


def on_node(interpreter: Path, counts: Ints, tmp_path: Path, missing: Ints | None = None) -> Ints:
    """The samples of the node from conversions, with gaps before them."""
    path = tmp_path / "counts.i32"
    gaps = np.zeros_like(counts) if missing is None else missing
    (counts + FULL | gaps << 18).astype("<i4").tofile(path)
    lines = run_on_node(interpreter, SCRIPT, str(path))
    return np.array([int(word) for line in lines for word in line.split()[1:]], np.int64)


def tone(f_hz: float, counts: float, seconds: float = 8.0) -> Ints:
    t_s = np.arange(round(seconds * RAW_HZ)) / RAW_HZ
    return np.asarray(np.round(counts * np.sin(2 * np.pi * f_hz * t_s)), np.int64)


def test_taps_are_those_of_the_design() -> None:
    bands = [0, PASS_HZ, STOP_HZ, RAW_HZ / 2]
    taps = signal.remez(TAPS, bands, [1, 0], weight=[1, STOP_WEIGHT], fs=RAW_HZ)
    # One is rounded the other way, so that they add up to one.
    assert np.abs(WHOLE - taps / taps.sum() * UNIT).max() <= 1.5
    assert WHOLE.sum() == UNIT


def test_response_is_flat_to_100_hz_and_nothing_folds_back() -> None:
    f_hz = np.arange(0, RAW_HZ / 2, 0.25)
    gain = decibel(np.abs(signal.freqz(WHOLE / UNIT, worN=f_hz, fs=RAW_HZ)[1]))
    assert np.abs(gain[f_hz <= PASS_HZ]).max() < 0.08
    assert gain[f_hz >= STOP_HZ].max() < -63
    assert -8.4 < gain[f_hz == 125][0] < -8.0


def test_sum_of_the_taps_stays_within_32_bits_at_full_scale() -> None:
    assert np.abs(WHOLE).sum() * (FULL // 2) + (1 << 12) < 1 << 31


def test_board_expects_the_noise_that_the_filter_leaves() -> None:
    left = np.sqrt((WHOLE**2).sum()) / UNIT
    assert left == pytest.approx(0.48, abs=0.001)
    # 0.5 uV of one conversion, counts of 2.048 V / 128 / 2^17; halves are a step of two counts.
    of_one = 0.5e-6 / (2.048 / 128 / FULL)
    halves = np.sqrt(of_one**2 + 2**2 / 12)
    assert halves / of_one < 1.01
    source = (FIRMWARE / "boards" / "espressif.py").read_text()
    constant = re.search(r"^_OWN_NOISE_X16 = const\((\d+)\)$", source, re.MULTILINE)
    assert constant
    assert int(constant[1]) == round(16 * halves * left)
    rng = np.random.default_rng(2)
    seen = samples(np.round(rng.normal(3950.0, of_one, 200_000)).astype(np.int64))
    assert 16 * seen.std() == pytest.approx(int(constant[1]), rel=0.03)


@BITS
def test_samples_on_micropython_are_those_of_numpy_to_the_bit(
    bits: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    # At full scale with the signs of the taps the sum is at its largest.
    worst = np.where(WHOLE > 0, FULL - 1, -FULL)
    counts = np.concatenate(
        [
            tone(30.0, FULL - 1.0, 1.0),
            rng.integers(-FULL, FULL, 4_000),
            np.tile(worst, 4),
            np.tile(-1 - worst, 4),
            np.repeat([0, FULL - 1, -FULL, 1, -1], 200),
        ]
    )
    filtered = on_node(request.getfixturevalue(bits), counts, tmp_path)
    assert filtered.size == counts.size // fir.BY - fir.SETTLE
    assert np.array_equal(filtered, samples(counts))
    assert np.abs(filtered).max() > 1.7 * FULL


@BITS
def test_missing_conversions_lie_on_a_straight_line(
    bits: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    rng = np.random.default_rng(4)
    counts = rng.integers(-FULL, FULL, 400)
    counts[50:53] = (FULL - 1, -FULL, FULL - 1)
    missing = np.where(rng.random(400) < 0.2, rng.integers(1, 9, 400), 0)
    missing[[51, 52, 200]] = 400, 2_000, 1
    missing[0] = 0
    line = [counts[:1]]
    for before, after, gap in zip(counts, counts[1:], missing[1:], strict=False):
        step = (int(after - before) << 8) // (gap + 1)
        line.append(((int(before) << 8) + step * np.arange(1, gap + 1)) >> 8)
        line.append(np.array([after]))
    whole = np.concatenate(line)
    filtered = on_node(request.getfixturevalue(bits), counts, tmp_path, missing)
    assert filtered.size == whole.size // fir.BY - fir.SETTLE
    assert np.array_equal(filtered, samples(whole))


@pytest.mark.parametrize(("f_hz", "folded_hz"), [(150, 100), (240, 10), (310, 60), (490, 10)])
def test_tone_above_half_the_sample_rate_is_gone_before_it_folds(
    f_hz: float, folded_hz: float, tmp_path: Path, micropython: Path
) -> None:
    filtered = on_node(micropython, tone(f_hz + 0.125, 100_000.0), tmp_path)
    seen = filtered[: 250 * 7].astype(np.float64)
    spectrum = np.abs(np.fft.rfft((seen - seen.mean()) * np.hanning(seen.size))) * 4 / seen.size
    near = np.abs(np.fft.rfftfreq(seen.size, 1 / 250) - folded_hz) < 1
    assert 20 * np.log10(spectrum[near].max() / 100_000.0) < -63


def test_filter_delays_by_what_the_time_stamp_takes_off() -> None:
    t = np.arange(8 * RAW_HZ)
    centre = 4 * RAW_HZ
    envelope_of = 100.0

    def burst(at: NDArray[np.float64]) -> NDArray[np.float64]:
        late = at - centre
        wave = np.exp(-((late / envelope_of) ** 2)) * np.cos(2 * np.pi * 30 * late / RAW_HZ)
        return np.asarray(100_000 * wave, np.float64)

    seen = samples(np.round(burst(t.astype(np.float64))).astype(np.int64))
    # Sample n has seen the conversions up to 4 n + 63.
    taken_at = fir.BY * np.arange(seen.size) + TAPS - 1 - fir.DELAY_HALVES / 2
    assert np.abs(seen - burst(taken_at)).max() < 1_000
